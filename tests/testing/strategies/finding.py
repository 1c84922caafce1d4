"""Asks a strategy for what it promises to reach."""

from collections.abc import Callable
from typing import Any

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

# The same search every time: what is found once is found again.
_SETTINGS = settings(derandomize=True, database=None, deadline=None, max_examples=5000)


def found(strategy: st.SearchStrategy[Any], condition: Callable[[Any], Any]) -> Any:
    """An example that meets the condition, as it was drawn; NoSuchExample when there is none."""
    return find(strategy, condition, settings=settings(_SETTINGS, phases=[Phase.generate]))


def least(strategy: st.SearchStrategy[Any], condition: Callable[[Any], Any]) -> Any:
    """The example that meets the condition and to which others shrink."""
    return find(strategy, condition, settings=_SETTINGS)


def drawn(strategy: st.SearchStrategy[Any], count: int = 600) -> list[Any]:
    """As many examples, for a test that looks for several things in them."""
    examples: list[Any] = []

    @settings(_SETTINGS, max_examples=count, phases=[Phase.generate])
    @given(strategy)
    def keep(example: Any) -> None:
        examples.append(example)

    keep()
    return examples
