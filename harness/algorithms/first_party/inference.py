"""Requests to arrays and predictions to bodies, as the front end of first-party algorithms does it.

See docs/notes/first-party-algorithms.md#inference.
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from harness.algorithms.serving import Answer, Invocation, Refusal
from harness.formats import csv, recordio
from harness.formats.errors import FormatError
from harness.formats.readers.first_party import content_types
from harness.formats.record_message import Record

Prediction = Mapping[str, float | int | Sequence[float]]

_DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
_WIDEST = 1 << 26


class BadPayload(Refusal):
    """400, with the one text for anything wrong with a payload; `reason` goes to the log."""

    def __init__(self, reason: str) -> None:
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        super().__init__(
            400,
            "unable to evaluate payload provided",
            f"[{stamp} ERROR {threading.get_ident()}] Customer Error: {reason}",
        )


def features(invocation: Invocation) -> Any:
    """The records of a request: shape (records, width), float32, dense or scipy's csr.

    Refusal 415 for a content type that is not known, BadPayload for a body that does not fit it.
    """
    kind = content_types.parse(invocation.content_type or content_types.JSON)
    try:
        if kind.name == content_types.CSV:
            size = kind.parameters.get("label_size", "0")
            if not size.isdecimal():
                raise BadPayload(f"label_size={size}")
            found = csv.loads(invocation.body, label_size=int(size)).features
        elif kind.name == content_types.RECORDIO:
            found = recordio.loads(invocation.body).features
        elif kind.name == content_types.JSON:
            found = _from_instances(_instances(json.loads(invocation.body)))
        elif kind.name == content_types.JSON_LINES:
            lines = invocation.body.splitlines()
            found = _from_instances([json.loads(line) for line in lines if line.strip()])
        else:
            raise Refusal(415, f"content-type {kind.name} not supported")
    except FormatError as error:
        raise BadPayload(str(error)) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise BadPayload(f"not JSON, or not numbers: {error}") from None
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def _instances(request: Any) -> list[Any]:
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise BadPayload("a JSON object with a list called instances is needed")
    return list(request["instances"])


def _from_instances(instances: Sequence[Any]) -> Any:
    if not instances:
        raise BadPayload("no instances")
    rows = [_row(instance) for instance in instances]
    if all(keys is None for _, keys, _ in rows):
        if len({len(values) for values, _, _ in rows}) != 1:
            raise BadPayload("instances differ in their number of features")
        return np.array([values for values, _, _ in rows], np.float64)
    from scipy import sparse

    if len({width for _, _, width in rows}) != 1:
        raise BadPayload("instances differ in their number of features")
    places = [range(len(values)) if keys is None else keys for values, keys, _ in rows]
    ends = np.cumsum([0, *(len(row) for row in places)])
    return sparse.csr_matrix(
        (
            np.array([value for values, _, _ in rows for value in values], np.float64),
            np.array([place for row in places for place in row], np.int64),
            ends,
        ),
        shape=(len(rows), rows[0][2]),
    )


def _row(instance: Any) -> tuple[list[float], list[int] | None, int]:
    """Values, their places (None when dense) and the number of features of one instance."""
    try:
        if "features" in instance and not isinstance(instance["features"], dict):
            tensor = {"values": instance["features"]}
        elif "data" in instance:
            tensor = instance["data"]["features"]
        else:
            tensor = instance["features"]
        values, keys, shape = tensor["values"], tensor.get("keys"), tensor.get("shape")
    except (KeyError, TypeError, AttributeError):
        raise BadPayload("an instance without features") from None
    if not isinstance(values, list) or not all(_is_number(value) for value in values):
        raise BadPayload("features that are no list of numbers")
    if keys is None:
        return values, None, len(values)
    if (
        not isinstance(keys, list)
        or not isinstance(shape, list)
        or len(shape) != 1
        or not all(_is_index(number) for number in (*keys, *shape))
        or len(keys) != len(values)
        or shape[0] > _WIDEST
        or any(key >= shape[0] for key in keys)
        or len(set(keys)) != len(keys)
    ):
        raise BadPayload("a sparse instance whose keys, shape and values do not fit together")
    return values, keys, shape[0]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


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
        body = "".join(f"{json.dumps(prediction)}\n" for prediction in predictions).encode()
    elif content_type == content_types.RECORDIO:
        body = recordio.dumps_messages(_message(prediction) for prediction in predictions)
    else:
        body = json.dumps({envelope: list(predictions)}).encode()
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
