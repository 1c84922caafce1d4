"""Training channels: what is read, and what the containers say about data they cannot use."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from harness.algorithms.contract import Channel
from harness.algorithms.first_party.channels import Dataset, read_labeled
from harness.algorithms.first_party.errors import CustomerError
from harness.formats import recordio
from harness.formats.record_message import Record

NOTE = "notes/first-party-algorithms.md#training-data"
ROWS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
LABELS = np.array([7, 8, 9], np.float32)
PBR = recordio.dumps(ROWS, LABELS)


def read(
    folder: Path, *files: bytes, content_type: str | None = None, batch_size: int = 1000
) -> Dataset:
    """Read files as one channel called train."""
    for number, content in enumerate(files):
        (folder / f"part-{number:05d}").write_bytes(content)
    return read_labeled(Channel("train", folder, content_type), batch_size)


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (None, PBR),
        ("application/x-recordio-protobuf", PBR),
        ("Application/X-Recordio-Protobuf; x=y", PBR),
        ("text/csv", b"7,1,2\n8,3,4\n9,5,6\n"),
        ("text/csv; label_size=1", b"7,1,2\r\n8,3,4\r\n9,5,6"),
        ("TEXT/CSV;charset=utf8", b"7,1,2\n8,3,4\n9,5,6\n"),
    ],
)
@pytest.mark.documented(NOTE)
def test_features_and_labels_are_read(
    tmp_path: Path, content_type: str | None, data: bytes
) -> None:
    """RecordIO is the default; CSV has its label first; parameters do not change the type."""
    found = read(tmp_path, data, content_type=content_type)
    assert np.array_equal(found.features, ROWS)
    assert np.array_equal(found.labels, LABELS)
    assert (len(found), found.width, found.dense, found.size) == (3, 2, True, len(data))


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Several files make one data set; empty ones are passed over."""
    parts = [recordio.dumps(ROWS[n : n + 1], LABELS[n : n + 1]) for n in range(3)]
    found = read(tmp_path, parts[0], b"", parts[1], parts[2])
    assert found.labels.tolist() == [7, 8, 9]


def test_sparse_records_stay_sparse(tmp_path: Path) -> None:
    """A sparse matrix is not blown up."""
    found = read(tmp_path, recordio.dumps(sparse.csr_matrix(ROWS), LABELS))
    assert not found.dense
    assert np.array_equal(found.features.toarray(), ROWS)


def failure(folder: Path, *files: bytes, **how: object) -> CustomerError:
    """The error that reading ends in."""
    with pytest.raises(CustomerError) as caught:
        read(folder, *files, **how)  # type: ignore[arg-type]
    return caught.value


def pbr(features: list[list[float]], labels: list[float] | None = None) -> bytes:
    """Records in float64."""
    return recordio.dumps(np.array(features), None if labels is None else np.array(labels))


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("data", "content_type", "message"),
    [
        (
            pbr([[1.0, np.nan]], [1.0]), None,
            "Unable to read data channel 'train'. Found missing (NaN) values. Please remove any "
            "missing (NaN) values in the input data. (caused by MXNetError)",
        ),
        (
            pbr([[1.0, 2.0]], [np.inf]), None,
            "Unable to read data channel 'train'. Found infinite floating point values. Please "
            "remove any infinite floating point values in the input data. (caused by MXNetError)",
        ),
        (
            b"1,2,3\n", "application/x-recordio-protobuf",
            "Unable to read data channel 'train'. Requested content-type is "
            "'application/x-recordio-protobuf'. Please verify the data matches the requested "
            "content-type. (caused by MXNetError)",
        ),
        (
            b"1,2,3\n", None,
            "Unable to read data channel 'train'. Please verify the correct data channel "
            "configuration is provided. (caused by MXNetError)",
        ),
        (
            PBR[:-1], None,
            "Unable to read data channel 'train'. Please verify the correct data channel "
            "configuration is provided. (caused by MXNetError)",
        ),
        (
            gzip.compress(PBR, mtime=0), None,
            "Unable to read data channel 'train'. Please verify the correct data channel "
            "configuration is provided. (caused by MXNetError)",
        ),
        (PBR, "csv", "No iterator has been registered for ContentType ('csv', '1.0')"),
        (
            pbr([[1.0, 2.0]]), None,
            "Labeled train data required with label size equal 1. Label size on train dataset "
            "found to be 0. Please provide a properly labeled labeled train dataset.",
        ),
        (
            b"1,2\n", "text/csv;label_size=2",
            "Labeled train data required with label size equal 1. Label size on train dataset "
            "found to be 2. Please provide a properly labeled labeled train dataset.",
        ),
        (
            b"1,nan\n", "text/csv",
            "Unable to read data channel 'train'. Found missing (NaN) values. Please remove any "
            "missing (NaN) values in the input data. (caused by MXNetError)",
        ),
        (
            b"1,1e39\n", "text/csv",
            "Unable to read data channel 'train'. Found infinite floating point values. Please "
            "remove any infinite floating point values in the input data. (caused by MXNetError)",
        ),
    ],
    ids=[
        "nan", "infinity", "csv-as-recordio", "csv-as-default", "cut", "gzip", "csv-type",
        "no-label", "two-labels", "csv-nan", "csv-overflow",
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_is_named_as_the_container_does(
    tmp_path: Path, data: bytes, content_type: str | None, message: str
) -> None:
    """The failure has the container's own text."""
    found = failure(tmp_path, data, content_type=content_type)
    assert found.summary == f"Customer Error: {message}"
    assert found.exit_code == 2


@pytest.mark.recorded(NOTE)
@pytest.mark.parametrize(
    ("data", "batch_size", "rows", "cause"),
    [
        (b"label,x\n1,2\n", 1000, "1-1000", "line 1, column 1: the cell 'label'"),
        (b"1,2\n" * 250 + b"1,x\n", 100, "201-300", "line 251, column 2: the cell 'x'"),
        (b"1,2\n1,2,3\n", 5, "1-5", "line 2: 3 columns"),
        (b"\xef\xbb\xbf1,2\n", 1, "1-1", "a byte order mark"),
    ],
)
def test_a_line_that_is_no_record_is_named_by_its_batch(
    tmp_path: Path, data: bytes, batch_size: int, rows: str, cause: str
) -> None:
    """CSV errors name the rows of the mini-batch and the file; the cause has the cell."""
    found = failure(tmp_path, data, content_type="text/csv", batch_size=batch_size)
    file = "/opt/ml/input/data/train/part-00000"
    assert found.summary == (
        f"Customer Error: Unable to parse csv: rows {rows}, file {file} (caused by MXNetError)"
    )
    assert cause in found.detail


def test_files_of_one_channel_agree(tmp_path: Path) -> None:
    """A second file of another width is refused, and so is one without labels."""
    other = recordio.dumps(np.ones((1, 3), np.float32), np.ones(1, np.float32))
    assert "3 features (expected 2, as before)" in failure(tmp_path, PBR, other).detail
    without = failure(tmp_path, PBR, recordio.dumps(ROWS))
    assert "part-00001: records of 0 labels (expected 1, as before)" in without.detail
    message = Record()
    message.features["values"].float32_tensor.values.extend([1, 2])
    message.label["values"].float32_tensor.values.extend([3, 4])
    two = failure(tmp_path, PBR, recordio.dumps_messages([message]))
    assert "part-00001: records of 2 labels" in two.detail


@pytest.mark.assumed(NOTE)
def test_an_empty_cell_of_csv_is_a_missing_value(tmp_path: Path) -> None:
    """It is refused as NaN is, whether it is a feature or the label."""
    for data in (b"1,2\n3,\n", b"1,2\n,4\n"):
        found = failure(tmp_path, data, content_type="text/csv")
        assert "Found missing (NaN) values" in found.summary


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html")
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_float32_alone_can_be_asked_for(tmp_path: Path, dtype: type) -> None:
    """Features or labels of another type are read by an algorithm that takes them, refused by one that does not."""
    (tmp_path / "a").write_bytes(recordio.dumps(ROWS, LABELS.astype(dtype)))
    (tmp_path / "b").write_bytes(recordio.dumps(ROWS.astype(dtype), LABELS))
    channel = Channel("train", tmp_path)
    assert len(read_labeled(channel, 1)) == 6
    with pytest.raises(
        CustomerError, match="verify the correct data channel configuration"
    ) as caught:
        read_labeled(channel, 1, float32_only=True)
    assert f"tensors of {np.dtype(dtype)} (expected Float32" in caught.value.detail


@pytest.mark.assumed(NOTE)
@pytest.mark.parametrize("files", [(), (b"",)])
def test_a_channel_without_records_is_refused(tmp_path: Path, files: tuple[bytes, ...]) -> None:
    """No file, or nothing in them, fails the job."""
    assert "No data was found in the data channel 'train'" in failure(tmp_path, *files).text


def test_other_ways_in_are_refused_by_name(tmp_path: Path) -> None:
    """Pipe mode and record wrapping are not silently taken for File mode."""
    with pytest.raises(CustomerError, match="TrainingInputMode 'Pipe'"):
        read_labeled(Channel("train", tmp_path, input_mode="Pipe"), 1)
    with pytest.raises(CustomerError, match="RecordWrapperType 'RecordIO'"):
        read_labeled(Channel("train", tmp_path, record_wrapper_type="RecordIO"), 1)
    assert "label_size=x" in failure(tmp_path, b"1,2\n", content_type="text/csv;label_size=x").text
