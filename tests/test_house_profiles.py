"""Hypothesis's profiles: the deep one is deep, however it is asked for."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

_PROPERTY = """
    from hypothesis import given, strategies as st

    seen = []

    @given(st.integers())
    def test_property(number):
        seen.append(number)

    def test_examples(request):
        assert len(seen) >= 2000
        item = next(item for item in request.session.items if item.name == "test_property")
        assert item.get_closest_marker("timeout").args[0] > 120
"""


@pytest.mark.parametrize("asked", ["option", "variable"])
def test_the_deep_profile_plays_two_thousand_examples(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Asked for by pytest's option or by the variable, a property runs 2,000 times and has the time for it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    if asked == "variable":
        monkeypatch.setenv("HYPOTHESIS_PROFILE", "deep")
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(_PROPERTY)
    options = ["--hypothesis-profile=deep"] if asked == "option" else []
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    result.assert_outcomes(passed=2)
