"""Channels and content types: which the image takes, and what it says about the others."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.contract import Channel
from harness.algorithms.xgboost import channels
from harness.algorithms.xgboost.errors import PlatformError, UserError
from harness.algorithms.xgboost.versions import named
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost.content_types import ACCEPTED, Format, parse, parse_header

LISTED = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
    "application/x-recordio-protobuf"
)


def channel(name: str, **configuration: Any) -> Channel:
    """A channel as inputdataconfig.json has it."""
    entry = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", **configuration}
    return Channel(
        name,
        Path("/nowhere"),
        entry.get("ContentType"),
        entry["TrainingInputMode"],
        entry["S3DistributionType"],
        "None",
        entry,
    )


def checked(*given: Channel, version: str = "1.7-1") -> Format:
    """What the channels are of."""
    return channels.validate({each.name: each for each in given}, named(version))


@pytest.mark.documented("notes/xgboost.md#channels")
@pytest.mark.parametrize("content_type", ACCEPTED)
@pytest.mark.parametrize("distribution", ["ShardedByS3Key", "FullyReplicated"])
def test_every_listed_content_type_is_taken_in_file_mode(
    content_type: str, distribution: str
) -> None:
    """With both distributions, on both channels."""
    configuration = {"ContentType": content_type, "S3DistributionType": distribution}
    found = checked(channel("train", **configuration), channel("validation", **configuration))
    assert found is ACCEPTED[content_type]


@pytest.mark.documented("notes/xgboost.md#channels")
def test_no_content_type_is_libsvm() -> None:
    """The default of this image, unlike that of other algorithms."""
    assert checked(channel("train")) is Format.LIBSVM


@pytest.mark.documented("notes/xgboost.md#channels")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "Missing required channel: train"),
        ([channel("validation")], "Missing required channel: train"),
        ([channel("train"), channel("test")], "Extraneous channel found: test"),
        (
            [channel("train", ContentType="text/csv; charset=utf8")],
            "Channel configuration for 'train' channel is not supported: {'TrainingInputMode': 'File', "
            "'S3DistributionType': 'FullyReplicated', 'ContentType': 'text/csv; charset=utf8'}",
        ),
        (
            [channel("train", ContentType="text/csv;label_size=0")],
            "Channel configuration for 'train' channel is not supported: {'TrainingInputMode': 'File', "
            "'S3DistributionType': 'FullyReplicated', 'ContentType': 'text/csv;label_size=0'}",
        ),
        (
            [channel("train", ContentType="csv"), channel("validation", ContentType="application/json")],
            "Channel configuration for 'validation' channel is not supported: {'TrainingInputMode': 'File', "
            "'S3DistributionType': 'FullyReplicated', 'ContentType': 'application/json'}",
        ),
        (
            [channel("train", TrainingInputMode="Pipe")],
            "Channel configuration for 'train' channel is not supported: {'TrainingInputMode': 'Pipe', "
            "'S3DistributionType': 'FullyReplicated', 'ContentType': 'text/libsvm'}",
        ),
    ],
)  # fmt: skip
def test_other_channels_are_refused_in_the_words_of_the_image(
    given: list[Channel], message: str
) -> None:
    """The configuration is printed as it came, the content type filled in."""
    with pytest.raises((UserError, DataRefused)) as caught:
        checked(*given)
    assert str(caught.value) == message


@pytest.mark.documented("notes/xgboost.md#channels")
def test_pipe_mode_of_csv_ended_with_3_0_5() -> None:
    """It has a text for it; before, Pipe mode is refused here by name."""
    pipe = channel("train", ContentType="text/csv", TrainingInputMode="Pipe")
    with pytest.raises(
        UserError, match=r"^Pipe mode for CSV is no longer supported\. Please use Fast File"
    ):
        checked(pipe, version="3.0-5")
    with pytest.raises(PlatformError, match="Pipe mode is not offered"):
        checked(pipe, version="1.7-1")


@pytest.mark.documented("notes/xgboost.md#channels")
@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        (None, Format.LIBSVM),
        ("text/csv", Format.CSV),
        ("Text/CSV; charset=utf-8", Format.CSV),
        ("text/csv;label_size=1", Format.CSV),
        ('text/csv; label_size = "1" ; charset=utf8', Format.CSV),
        ("text/libsvm ;charset=utf8", Format.LIBSVM),
        ("text/x-libsvm", Format.LIBSVM),
        ("application/x-recordio-protobuf", Format.RECORDIO),
        ("application/x-parquet", Format.PARQUET),
    ],
)
def test_the_content_type_of_a_request_may_have_parameters(
    content_type: str | None, form: Format
) -> None:
    """Case does not count, and of the parameters only label_size does."""
    assert parse(content_type) is form


@pytest.mark.documented("notes/xgboost.md#channels")
@pytest.mark.parametrize(
    "content_type", ["text/csv; label_size=0", "csv;label_size=2", "text/csv;label_size="]
)
def test_a_label_size_other_than_1_is_refused(content_type: str) -> None:
    """The content type is shown as it came."""
    with pytest.raises(DataRefused) as caught:
        parse(content_type)
    assert str(caught.value) == (
        f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
    )


@given(st.text(max_size=40))
def test_any_other_content_type_is_refused_with_the_list(content_type: str) -> None:
    """Whatever the text: a format, or the error that shows it."""
    name, _ = parse_header(content_type.lower())
    if name in ACCEPTED:
        return
    with pytest.raises(DataRefused) as caught:
        parse(content_type)
    assert str(caught.value) == f"{content_type} is not an accepted ContentType: {LISTED}."
