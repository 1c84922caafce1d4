"""Requests to arrays and predictions to bodies, as the front end of first-party algorithms does it.

See docs/notes/first-party-algorithms.md#inference.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from harness.algorithms.serving import Answer, Invocation, Refusal
from harness.formats import jsonlines, recordio, strict_json
from harness.formats.readers.first_party import content_types, requests
from harness.formats.readers.refusal import RequestRefused
from harness.formats.record_message import Record

Prediction = Mapping[str, float | int | Sequence[float]]

_DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


class BadPayload(Refusal):
    """400, with the one text for anything wrong with a payload; `reason` goes to the log."""

    def __init__(self, reason: str) -> None:
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        super().__init__(
            400,
            "unable to evaluate payload provided",
            f"[{stamp} ERROR {threading.get_ident()}] Customer Error: {reason}",
        )


def features(invocation: Invocation, *, finite: bool = False) -> Any:
    """The records of a request: shape (records, width), float32, dense or scipy's csr.

    Refusal 415 for a content type that is not known, BadPayload for a body that does not fit it; with
    `finite` also for one with missing or infinite values.
    """
    try:
        found = requests.features(invocation.body, invocation.content_type)
        if finite:
            requests.check_finite(found)
    except RequestRefused as refused:
        if refused.reason:
            raise BadPayload(refused.reason) from None
        raise Refusal(refused.status, refused.text) from None
    return found


def accepted(invocation: Invocation, environment: Mapping[str, str], offered: Iterable[str]) -> str:
    """The content type to answer with: the first of Accept that is offered. Refusal 406 if none is."""
    offered = tuple(offered)
    default = environment.get(_DEFAULT_ACCEPT) or content_types.JSON
    for wanted in (invocation.accept or "*/*").split(","):
        name = content_types.parse(wanted).name
        if name in ("*/*", ""):
            name = default
        if name in offered:
            return name
    raise Refusal(406, f"accept type {invocation.accept or default} not supported")


def answer(
    predictions: Sequence[Prediction], content_type: str, envelope: str = "predictions"
) -> Answer:
    """Predictions in the wanted content type; protobuf has a Record each, with one label per field."""
    if content_type == content_types.JSON_LINES:
        body = jsonlines.dumps(predictions, allow_nan=True)
    elif content_type == content_types.RECORDIO:
        body = recordio.dumps_messages(_message(prediction) for prediction in predictions)
    else:
        body = strict_json.dumps({envelope: list(predictions)}, allow_nan=True)
    return Answer(body, content_type)


def _message(prediction: Prediction) -> Any:
    message = Record()
    for name, value in prediction.items():
        values = value if isinstance(value, Sequence) else [value]
        message.label[name].float32_tensor.values.extend(values)
    return message


def messages(body: bytes) -> list[Any]:
    """The Record messages of a protobuf body; FormatError when it is none."""
    return list(recordio.iter_records(BytesIO(body)))
