"""Rows of features in the account of a file: counted, and looked through for numbers that stop an algorithm."""

from typing import Any

import numpy as np

from harness.checks.inspection.report import Contents, Findings, Place
from harness.checks.inspection.statistics import too_large
from harness.formats.records import Records


def add_features(
    found: Records,
    place: Place,
    findings: Findings,
    contents: Contents,
    *,
    refused_by: tuple[str, ...],
    shown: str = "",
) -> None:
    """Take in rows that stand at a place."""
    values: Any = found.features if isinstance(found.features, np.ndarray) else found.features.data
    contents.features.add(values)
    for kind, wrong, sentence in (
        ("missing_value", np.isnan(values), "a value is NaN"),
        ("infinite_value", too_large(values), "a value is infinite, or too large for 32 bits"),
    ):
        if wrong.any():
            findings.add(
                kind, sentence, place, shown=shown, refused_by=refused_by, times=int(wrong.sum())
            )
