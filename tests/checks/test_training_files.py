"""Checks on CSV files for training: a header, or a label elsewhere than first, makes them fail."""

import pytest

from harness import checks


@pytest.mark.parametrize(
    ("csv", "holds"),
    [
        ("24.0,0.1,2\n", True),
        ("24.0,,2\n", True),
        ("1e-7,nan\n", True),
        ("1_000,2\n", False),
        ("\ufeff24.0,2\n", False),
        ("MEDV,CRIM\n24.0,0.1\n", False),
        ('"price","rooms"\n1,2\n', False),
        ("", False),
    ],
)
@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html")
def test_a_header_is_seen(csv: str, holds: bool) -> None:
    """Words in the first line are a header; numbers and empty cells are not."""
    assert checks.no_header(csv).passed is holds
    assert checks.no_header(csv.encode()).passed is holds


@pytest.mark.documented("https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html")
def test_labels_elsewhere_than_first_are_seen() -> None:
    """The label column holds; labels last, an index in front, or a lost row fail with their line."""
    assert checks.label_column("24,1\n21,2\n", [24.0, 21.0]).passed
    last = checks.label_column("24,1\n5,21\n", [24.0, 21.0])
    assert (last.passed, last.detail) == (False, "line 2 begins with 5, label 21")
    index = checks.label_column("0,24,1\n1,21,2\n", [24.0, 21.0])
    assert not index.passed
    assert index.detail == "line 1 begins with 0, label 24; the labels are column 2"
    assert checks.label_column("24,1\n", [24.0, 21.0]).detail == "1 rows, 2 labels"
    assert "does not parse" in checks.label_column("a,b\n", [1.0]).detail
    assert checks.label_column("", []).detail == "0 rows begin with their label"
