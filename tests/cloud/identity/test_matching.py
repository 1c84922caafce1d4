"""Wildcards and policy variables."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cloud.identity.matching import Pattern
from tests.cloud.identity.reference import glob

RESOURCES = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"
)
VARIABLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"


def matches(pattern: str, text: str, **context: str) -> bool:
    """Whether a pattern of the language of 2012 matches; `aws__username` stands for `aws:username`."""
    values = {key.replace("__", ":"): (value,) for key, value in context.items()}
    return Pattern(pattern, variables=True).matches(text, values)


_pieces = st.lists(st.sampled_from(["ab", "ba", "a", "b", "*", "?"]), max_size=7).map("".join)


@given(
    pattern=_pieces | st.text("a*?\n.[(+^$", max_size=8),
    text=_pieces | st.text("a*?\n.[(+^$", max_size=8),
)
@example(pattern="*a*", text="a")
@example(pattern="a*a", text="a")
@example(pattern="*ab*ba*", text="aba")
@example(pattern="*?a?*", text="bab")
def test_wildcards_match_as_an_expression_does(pattern: str, text: str) -> None:
    """`*` is any number of characters, `?` exactly one, and every other character is itself."""
    assert Pattern(pattern, variables=False).matches(text, {}) == glob(pattern, text)
    assert Pattern(pattern, variables=False, wildcards=False).matches(text, {}) == (pattern == text)


def test_many_stars_take_no_longer() -> None:
    """A pattern that would keep an expression busy for years is answered."""
    assert not Pattern("a*" * 40 + "b", variables=False).matches("a" * 2000, {})
    assert Pattern("*?a" * 40, variables=False).matches("ba" * 400, {})


@pytest.mark.documented(RESOURCES)
@pytest.mark.parametrize(
    ("key", "matched"),
    [
        ("1/test/object.jpg", True),
        ("1/2/test/3/object.jpg", True),
        ("1///test///object.jpg", True),
        ("1/test/.jpg", True),
        ("/test/object.jpg", True),
        ("1/test/", True),
        ("1-test/object.jpg", False),
        ("test/object.jpg", False),
        ("1/2/test.jpg", False),
    ],
)
def test_a_slash_is_no_border(key: str, matched: bool) -> None:
    """The documentation's objects of `bucket/*/test/*`, and those that are not."""
    assert matches("arn:aws:s3:::bucket/*/test/*", f"arn:aws:s3:::bucket/{key}") == matched


@pytest.mark.documented(RESOURCES)
def test_a_star_at_the_end_goes_beyond_colons() -> None:
    """What ends in `*` matches the parts of an ARN that follow, too."""
    assert matches("arn:aws:sagemaker:us-east-1:*", "arn:aws:sagemaker:us-east-1:1:endpoint/a")


@pytest.mark.documented(VARIABLES)
def test_a_variable_is_the_requests_value() -> None:
    """`${key}` stands for the value of the condition key, whose name has no case."""
    home = "arn:aws:s3:::bucket/${AWS:UserName}/*"
    assert matches(home, "arn:aws:s3:::bucket/anna/x", aws__username="anna")
    assert not matches(home, "arn:aws:s3:::bucket/bert/x", aws__username="anna")
    assert matches(
        "${aws:PrincipalTag/access project}-*",
        "red-1",
        **{"aws:principaltag/access project": "red"},
    )


@pytest.mark.documented(VARIABLES)
def test_a_variable_without_a_value_matches_nothing() -> None:
    """An absent key, or one with several values, has no equal; a default stands in for it."""
    assert not matches("${aws:username}", "")
    assert not matches("*${aws:username}", "anything")
    assert not Pattern("${aws:tagkeys}", variables=True).matches("a", {"aws:tagkeys": ("a", "b")})
    team = "bucket-${aws:PrincipalTag/team, 'company-wide'}"
    assert matches(team, "bucket-company-wide")
    assert matches(team, "bucket-red", **{"aws:principaltag/team": "red"})


@pytest.mark.documented(VARIABLES)
@pytest.mark.parametrize("character", ["*", "?", "$"])
def test_a_special_character_can_be_meant(character: str) -> None:
    """`${*}`, `${?}` and `${$}` are the characters themselves."""
    pattern = f"a${{{character}}}b"
    assert matches(pattern, f"a{character}b")
    assert not matches(pattern, "axb")


@pytest.mark.documented(VARIABLES)
def test_the_older_language_has_no_variables() -> None:
    """Without the version of 2012, `${aws:username}` is what it is."""
    pattern = Pattern("x/${aws:username}", variables=False)
    assert pattern.matches("x/${aws:username}", {"aws:username": ("anna",)})
    assert not pattern.matches("x/anna", {"aws:username": ("anna",)})


@pytest.mark.assumed("notes/permissions.md#assumed-of-policies")
@given(name=st.text(string.printable, max_size=8))
def test_the_value_of_a_variable_has_no_wildcards(name: str) -> None:
    """Whoever is called `*` reaches what belongs to `*`, and to nobody else."""
    assert matches("a/${aws:username}/?", f"a/{name}/x", aws__username=name)
    assert matches("a/${aws:username}", "a/other", aws__username=name) == (name == "other")


@given(text=st.text("${}*?aws:',x ", max_size=20), value=st.text(max_size=3))
def test_any_text_is_a_pattern(text: str, value: str) -> None:
    """Half a variable and anything else that is none is a text as any other."""
    Pattern(text, variables=True).matches(value, {"aws": (value,), "a": (value,)})
