"""How the tests run: Hypothesis's profiles, evidence markers that must lead somewhere."""

import os

import pytest
from hypothesis import settings

from tests.evidence import pytest_make_collect_report

__all__ = ["pytest_make_collect_report"]

# The SDK's notice about v3 is a warning, and warnings are errors here.
os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")

# `dev` explores, `ci` plays the same examples every time, `deep` takes its time.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nothing end a test that takes its time, by `HYPOTHESIS_PROFILE` or `--hypothesis-profile`."""
    if settings.get_current_profile_name() == "deep":
        for item in items:
            item.add_marker(pytest.mark.timeout(0))
