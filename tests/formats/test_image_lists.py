"""Lists of images: number, labels, path both ways, and the place of whatever is none of them."""

import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats import image_lists
from harness.formats.errors import FormatError
from harness.formats.image_lists import ListedImage

LISTS = "notes/image-records.md#lists"

paths = st.text(
    st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda path: path == path.strip(" "))
finite = st.floats(allow_nan=False, allow_infinity=False)
images = st.builds(
    ListedImage,
    st.integers(0, 2**63),
    st.lists(finite, min_size=1, max_size=4).map(tuple),
    paths,
)


@given(st.lists(images, max_size=5, unique_by=lambda image: image.index))
def test_what_was_dumped_loads_again(found: list[ListedImage]) -> None:
    """Numbers, labels to the last bit, and paths in any script come back."""
    assert image_lists.loads(image_lists.dumps(found)) == found


@pytest.mark.documented(LISTS)
def test_lines_are_those_of_im2rec() -> None:
    """MXNet's tool writes labels with six decimals; more are written only where they are needed."""
    found = [ListedImage(0, (1.0, 2.5), "cat/a b.jpg"), ListedImage(1, (1e-7,), "ä.png")]
    assert (
        image_lists.dumps(found).decode() == "0\t1.000000\t2.500000\tcat/a b.jpg\n1\t1e-07\tä.png\n"
    )


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html")
def test_the_documented_list_is_read() -> None:
    """Three columns between tabs; blanks around them are not part of them."""
    data = (
        b"5 \t 1\tyour_image_directory/train_img_dog1.jpg\r\n1000\t0\tyour_image_directory/cat.jpg"
    )
    assert image_lists.loads(data) == [
        ListedImage(5, (1.0,), "your_image_directory/train_img_dog1.jpg"),
        ListedImage(1000, (0.0,), "your_image_directory/cat.jpg"),
    ]


@pytest.mark.parametrize(
    ("data", "line", "column", "problem"),
    [
        (b"1\t0\ta\n2\tb\n", 2, None, "2 columns"),
        (b"1\t0\ta\n\n", 2, None, "1 columns"),
        (b"5      1   a.jpg\n", 1, None, "1 columns"),
        (b"x\t0\ta\n", 1, 1, r"the cell 'x' \(expected the image's number\)"),
        (b"-1\t0\ta\n", 1, 1, "the cell '-1'"),
        (b"1\t0\tcat\ta\n", 1, 3, r"the cell 'cat' \(expected a label\)"),
        (b"1\tnan\ta\n", 1, 2, "the cell 'nan'"),
        (b"1\t1_0\ta\n", 1, 2, "the cell '1_0'"),
        (b"1\t0\t\n", 1, 3, r"the cell '' \(expected a path\)"),
        (b"1\t0\t\xff\n", 1, None, "not UTF-8"),
        (b"1\t0\ta\n2\t0\tb\n1\t0\tc\n", 3, 1, "the number 1 a second time"),
    ],
)
def test_the_place_of_what_is_wrong_is_named(
    data: bytes, line: int, column: int | None, problem: str
) -> None:
    """A FormatError has the line and, for a cell, its column."""
    with pytest.raises(FormatError, match=problem) as caught:
        image_lists.loads(data)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "image",
    [
        ListedImage(-1, (0.0,), "a"),
        ListedImage(1, (), "a"),
        ListedImage(1, (float("nan"),), "a"),
        ListedImage(1, (float("inf"),), "a"),
        ListedImage(1, (0.0,), ""),
        ListedImage(1, (0.0,), "a\tb"),
        ListedImage(1, (0.0,), "a\nb"),
        ListedImage(1, (0.0,), "a "),
        ListedImage(1, (0.0,), "\ud800"),
    ],
)
def test_what_would_not_read_back_is_refused(image: ListedImage) -> None:
    """The record is named."""
    with pytest.raises(FormatError, match="record 1: "):
        image_lists.dumps([ListedImage(0, (0.0,), "a"), image])


@given(st.binary(max_size=60) | st.text("01.\t\n\ra ", max_size=30).map(str.encode))
def test_any_bytes_are_a_list_or_a_format_error(data: bytes) -> None:
    """Arbitrary bytes never raise anything but FormatError."""
    with suppress(FormatError):
        image_lists.loads(data)


def test_cut_short_it_is_fewer_images_or_refused() -> None:
    """What stands before the last line is read; that line is an image or refused."""
    data = image_lists.dumps([ListedImage(10, (1.0,), "a"), ListedImage(11, (0.5, 2.0), "b")])
    for cut in range(len(data) + 1):
        try:
            found = len(image_lists.loads(data[:cut]))
        except FormatError as error:
            assert error.line == data.count(b"\n", 0, cut) + 1  # noqa: PT017
        else:
            assert found - data.count(b"\n", 0, cut) in (0, 1)


def test_dump_and_load_work_on_files(tmp_path: Path) -> None:
    """`dump` writes to a file what `load` reads back from it; single images come in order."""
    path = tmp_path / "data.lst"
    found = [ListedImage(3, (1.0,), "a"), ListedImage(2, (0.0,), "b")]
    with path.open("wb") as file:
        image_lists.dump(iter(found), file)
    with path.open("rb") as file:
        assert image_lists.load(file) == found
    assert list(image_lists.iter_records(io.BytesIO(path.read_bytes()))) == found
