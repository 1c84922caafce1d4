"""How the tests run: Hypothesis's profiles."""

import os

from hypothesis import settings

# `dev` explores; `ci` plays the same examples every time; `deep` is for a long look (HYPOTHESIS_PROFILE=deep).
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))
