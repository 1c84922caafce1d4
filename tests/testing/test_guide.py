"""The example of docs/testing-serializers.md is what it says: it passes, and it finds careless code."""

import re
from pathlib import Path

import pytest

from tests.serializers import sdk

GUIDE = Path(__file__).parent.parent.parent / "docs" / "testing-serializers.md"
TESTS = [
    "test_another_reader_finds_the_numbers",
    "test_answers_are_read",
    "test_what_is_no_answer_is_refused",
]
CARELESS = {
    "cell if math.isfinite(cell) else None": "cell",
    'split("\\n")': "splitlines()",
    "json.loads(line)": "json.loads(json.dumps(line))",
}


@pytest.fixture
def example() -> str:
    """The code block of the page, for the SDK that is installed."""
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return str(block).replace("from sagemaker.serializers", f"from {sdk.serializers.__name__}")


def _run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makepyfile(test_serializer=source)
    return pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")


def test_the_example_passes(pytester: pytest.Pytester, example: str) -> None:
    """Pasted as it is, each of its tests passes."""
    _run(pytester, example).assert_outcomes(passed=len(TESTS))


def test_the_example_finds_careless_code(pytester: pytest.Pytester, example: str) -> None:
    """With a careless change for each test, each fails, and shows the least data that makes it fail."""
    for careful, careless in CARELESS.items():
        assert careful in example
        example = example.replace(careful, careless)
    done = _run(pytester, example)
    done.assert_outcomes(failed=len(TESTS))
    for test in TESTS:
        # Hypothesis has called it by both names.
        done.stdout.re_match_lines([rf".*(Failing test case|Falsifying example): {test}\("])
