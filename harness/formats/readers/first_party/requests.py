"""Requests as the front end of linear-learner and its kin reads them.

See docs/notes/first-party-algorithms.md#inference.
"""

from typing import Any

import numpy as np

from harness.formats import csv, json_requests, recordio
from harness.formats.errors import FormatError
from harness.formats.readers.first_party import content_types
from harness.formats.readers.refusal import RequestRefused

_WIDEST = 1 << 26
"""Features that a request may claim: a sparse one can claim any number."""


def features(body: bytes, content_type: str | None) -> Any:
    """The records of a request: shape (records, width), float32, dense or scipy's csr; JSON without content type.

    RequestRefused with 415 for a content type that is not known, with 400 for a body that does not fit it.
    """
    kind = content_types.parse(content_type or content_types.JSON)
    try:
        if kind.name == content_types.CSV:
            size = kind.parameters.get("label_size", "0")
            if not size.isdecimal():
                raise bad_payload(f"label_size={size}")
            found = csv.loads(body, label_size=int(size)).features
        elif kind.name == content_types.RECORDIO:
            found = recordio.loads(body).features
        elif kind.name in (content_types.JSON, content_types.JSON_LINES):
            # The front end reads with Python's json, which lets NaN and repeated keys pass.
            found = json_requests.loads(
                body, lines=kind.name == content_types.JSON_LINES, allow_nan=True, lenient=True
            ).features
            if not found.shape[0]:
                raise bad_payload("no instances")
        else:
            raise RequestRefused(415, f"content-type {kind.name} not supported")
    except FormatError as error:
        raise bad_payload(str(error)) from None
    if found.shape[1] > _WIDEST:
        raise bad_payload(f"{found.shape[1]} features")
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def check_finite(found: Any) -> None:
    """RequestRefused with 400 for records with missing or infinite values, which linear-learner cannot use."""
    values = found if isinstance(found, np.ndarray) else found.data
    if not np.isfinite(values).all():
        raise bad_payload("The input has values that are missing (NaN) or infinite.")


def bad_payload(reason: str) -> RequestRefused:
    """400, with the one text for anything wrong with a payload."""
    return RequestRefused(400, "unable to evaluate payload provided", reason)
