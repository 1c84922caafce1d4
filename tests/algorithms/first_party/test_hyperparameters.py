"""Hyperparameters of first-party algorithms: typed values, and the texts for what is not allowed."""

from pathlib import Path

import pytest

from harness.algorithms.first_party.errors import CustomerError
from harness.algorithms.first_party.hyperparameters import Table

NOTE = "notes/first-party-algorithms.md#hyperparameters"


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """A small table with every kind of hyperparameter."""
    path = tmp_path / "table.toml"
    path.write_text("""
        [k]
        required = true
        integer = { minimum = 1 }
        [feature_dim]
        required = true
        auto = true
        integer = { minimum = 1, maximum = 10 }
        [init_method]
        default = "random"
        enum = ["random", "kmeans++"]
        [optimizer]
        default = "auto"
        auto = true
        enum = ["adam", "sgd"]
        [rate]
        default = "0.5"
        number = { above = 0, below = 1 }
        [weight]
        default = "1.0"
        auto = true
        balanced = true
        number = { above = 0 }
        [flag]
        default = "true"
        boolean = true
        [scale]
        default = "auto"
        auto = true
        boolean = true
        [bias]
        number = {}
        [most]
        number = { maximum = 5 }
        [_log_level]
        default = "info"
    """)
    return Table(path)


GIVEN = {"k": "3", "feature_dim": "4"}


def check(table: Table, **values: str) -> dict[str, object]:
    """Merge over what is required, and check."""
    return {**table.check({**table.defaults, **GIVEN, **values})}


def test_values_are_typed(table: Table) -> None:
    """Strings become integers, numbers, booleans and words; auto and absent ones are None."""
    assert check(table) == {
        "k": 3, "feature_dim": 4, "init_method": "random", "optimizer": None, "rate": 0.5,
        "weight": 1.0, "flag": True, "scale": None, "bias": None, "most": None,
        "_log_level": "info",
    }  # fmt: skip
    other = check(table, feature_dim="auto", weight="balanced", flag="False", bias="-1e-3")
    assert (other["feature_dim"], other["weight"]) == (None, "balanced")
    assert (other["flag"], other["bias"]) == (False, -0.001)


@pytest.mark.parametrize("text", ["True", "true", "TRUE"])
@pytest.mark.sdk_source(NOTE)
def test_booleans_may_be_capitalized(table: Table, text: str) -> None:
    """The SDK sends str(True)."""
    assert check(table, flag=text)["flag"] is True


@pytest.mark.recorded(NOTE)
def test_missing_ones_are_named_together(table: Table) -> None:
    """All required hyperparameters that are missing stand in one message."""
    with pytest.raises(CustomerError) as caught:
        table.check(table.defaults)
    assert caught.value.text.startswith(
        "Customer Error: No value(s) were specified for 'k', 'feature_dim' which are required "
        "hyperparameter(s) (caused by ValidationError)\n\nCaused by: "
    )
    assert caught.value.exit_code == 2


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("values", "words"),
    [({"foo": "1"}, "('foo' was unexpected)"), ({"b": "", "c": ""}, "('b', 'c' were unexpected)")],
)
def test_unknown_ones_are_refused(table: Table, values: dict[str, str], words: str) -> None:
    """What the table does not have is not allowed."""
    with pytest.raises(CustomerError) as caught:
        check(table, **values)
    assert caught.value.summary == (
        f"Customer Error: Additional hyperparameters are not allowed {words} "
        "(caused by ValidationError)"
    )


@pytest.mark.documented(NOTE)
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("init_method", "x", "'random', 'kmeans++'"),
        ("init_method", "auto", "'random', 'kmeans++'"),
        ("optimizer", "x", "'auto', 'adam', 'sgd'"),
        ("flag", "1", "'true', 'false'"),
        ("scale", "", "'auto', 'true', 'false'"),
    ],
)
def test_a_word_that_is_not_on_the_list_is_refused(
    table: Table, name: str, text: str, words: str
) -> None:
    """The message lists the words that are accepted."""
    with pytest.raises(CustomerError) as caught:
        check(table, **{name: text})
    assert caught.value.summary == (
        f"Customer Error: The value '{text}' is not valid for the '{name}' hyperparameter which "
        f"accepts one of the following: {words} (caused by ValidationError)"
    )


@pytest.mark.assumed(NOTE)
@pytest.mark.parametrize(
    ("name", "phrase", "wrong"),
    [
        ("k", "an integer greater than 1", ["0", "-1", "1.5", "", "x", "auto", "1e2", " 1"]),
        ("feature_dim", "an integer between 1 and 10", ["0", "11", "Auto"]),
        ("rate", "a number between 0 and 1", ["0", "1", "-0.1", "nan", "inf", "0x1", "1_0"]),
        ("weight", "a number greater than 0", ["0", "-1", "1e999"]),
        ("most", "a number less than 5", ["5.1"]),
        ("bias", "a number", ["x"]),
    ],
)
def test_a_number_out_of_range_is_refused(
    table: Table, name: str, phrase: str, wrong: list[str]
) -> None:
    """The message says which numbers are expected."""
    for text in wrong:
        with pytest.raises(CustomerError) as caught:
            check(table, **{name: text})
        assert caught.value.summary.startswith(
            f"Customer Error: The value '{text}' is not valid for the '{name}' hyperparameter "
            f"which expects one of the following: {phrase}; or a string which matches the pattern "
        )


def test_the_table_can_be_read_by_others(table: Table) -> None:
    """Names and entries are there for documentation and tests."""
    assert table.names[:2] == ("k", "feature_dim")
    assert table.entry("rate")["number"] == {"above": 0, "below": 1}
