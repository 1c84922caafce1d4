"""Java's regular expressions on another engine."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.cloud.protocol.models import load
from harness.cloud.protocol.patterns import TIMEOUT_SECONDS, compiled, matches, translated
from tests.cloud.protocol.generated import python_pattern, service_model, strings

JAVA = "notes/validation.md#patterns"


def _patterns() -> list[str]:
    found = set()
    for service in ("sagemaker", "sagemaker-runtime"):
        model = service_model(service)
        shapes = (model.shape_for(name) for name in model.shape_names)
        found |= {s.metadata["pattern"] for s in shapes if "pattern" in s.metadata}
    return sorted(found)


PATTERNS = _patterns()
# Those that mean the same in Java and Python, for ASCII text without line ends.
SHARED = [p for p in PATTERNS if python_pattern(p) == p and "(?" not in p]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.documented(JAVA)
def test_every_pattern_of_the_models_compiles(pattern: str) -> None:
    """Each pattern is translated to one that the engine takes, without a warning."""
    assert compiled(pattern).pattern == translated(pattern)


@given(st.sampled_from(PATTERNS).flatmap(lambda p: st.tuples(st.just(p), strings(p, 0, None))))
@pytest.mark.documented(JAVA)
def test_what_a_pattern_generates_matches_it(sample: tuple[str, str]) -> None:
    """A string that Python's engine makes from a pattern matches it here."""
    assert matches(*sample)


@given(
    st.sampled_from(SHARED),
    st.data(),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=2),
    st.integers(0, 30),
)
@pytest.mark.documented(JAVA)
def test_a_disturbed_string_matches_as_python_has_it(
    pattern: str, data: st.DataObject, noise: str, place: int
) -> None:
    """With characters put into a matching string, this engine and Python's agree whether it still matches."""
    text = data.draw(strings(pattern, 0, None))
    assume(text.isascii() and text.isprintable())
    disturbed = text[:place] + noise + text[place + 1 :]
    assert matches(pattern, disturbed) == (re.fullmatch(pattern, disturbed) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "whether"),
    [
        (".", "\n", False),
        (".", "\r", False),
        (".", "\x85", False),
        (".", "\u2028", False),
        (".", "é", True),
        ("[.]", ".", True),
        ("[.]", "a", False),
        (r"\.", "a", False),
        (r"\d", "٣", False),
        (r"[\d]", "3", True),
        (r"\D", "٣", True),
        (r"\w", "é", False),
        (r"[\w-]", "_", True),
        (r"\W", "é", True),
        (r"[\W]", "_", False),
        (r"\s", "\xa0", False),
        (r"\s", "\x0b", True),
        (r"\S", "\xa0", True),
        (r"[\S]", "\xa0", True),
        (r"[\S]", " ", False),
        (r"[\s\S]", "\u2028", True),
        (r"\p{Alnum}", "é", False),
        (r"[\p{Alnum}\-]", "-", True),
        (r"\p{L}", "é", True),
        (r"\p{L}", "漢", True),
        (r"[\p{L}\p{Z}]", "\u3000", True),
        (r"\A\S[\p{Print}]*\z", "a b", True),
        (r"\A\S[\p{Print}]*\z", " b", False),
        (r"\A\S[\p{Print}]*\z", "b\n", False),
        (r"\p{ASCII}*", "\x00\x7f", True),
        (r"\p{ASCII}*", "é", False),
        ("a|ab", "ab", True),
        ("^a$", "a\n", False),
        ("^a$", "ba", False),
        ("a", "aa", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\t😀", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "\x01", False),
        (r"[\t\n\r -\uD7FF\uE000-\uFFFD]*", "😀", False),
    ],
)
@pytest.mark.documented(JAVA)
def test_classes_mean_what_java_says(pattern: str, text: str, whether: bool) -> None:
    """Predefined classes are ASCII, the dot knows Unicode's line ends, the whole text must match."""
    assert matches(pattern, text) is whether


@pytest.mark.assumed(JAVA)
def test_a_pattern_that_never_ends_does_not_match() -> None:
    """A search that runs away is given up and counts as no match."""
    assert TIMEOUT_SECONDS < 5
    assert not matches("(a|aa)+b", "a" * 80)


@pytest.mark.parametrize("name", ["DestinationS3Uri", "TrainingJobName", "RoleArn", "S3Uri"])
@pytest.mark.documented(JAVA)
def test_a_long_value_is_judged(name: str) -> None:
    """A value far beyond its length is matched or not, without running away."""
    pattern = load("sagemaker").shape(name).pattern
    assert pattern is not None
    assert not matches(pattern, "s3:/" + "-" * 100_000)
