"""Predictions as bytes, in the forms that the versions of the image answer in. docs/notes/xgboost.md#answers."""

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.serving import Answer, Refusal
from harness.formats import csv, strict_json

Array = npt.NDArray[Any]

ACCEPTED = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)
"""What an Accept header may ask for; the middle two only with selectable inference."""

# Where a row has several predictions, the first two answers have Python's lists in them: no format at all.

# The image's web framework adds the charset to every text type.
_CSV = "text/csv; charset=utf-8"


def batch(predictions: Array) -> Answer:
    """A batch transform's answer, whatever it accepts: one prediction per line."""
    return Answer("".join(f"{value}\n" for value in predictions.tolist()).encode(), _CSV)


def comma_joined(predictions: Array) -> Answer:
    """The answer of versions before 1.2-2, whatever was accepted: all on one line, no newline at its end."""
    return Answer(",".join(map(str, predictions.tolist())).encode(), _CSV)


def accepted(predictions: Array, accept: str) -> Answer:
    """The answer since 1.2-2: a line of CSV per row, or JSON. Refusal 500 for what only other modes encode."""
    if accept == "application/json":
        scores = {"predictions": [{"score": score} for score in predictions.tolist()]}
        return Answer(strict_json.dumps(scores, allow_nan=True), accept)
    if accept == "text/csv":
        # Doubles, because the image turns float32 into Python's numbers before it writes them.
        rows = np.atleast_2d(predictions.T).T.astype(np.float64)
        return Answer(csv.dumps(rows), _CSV)
    raise Refusal(500, f"Content type {accept} is not supported by this framework.")
