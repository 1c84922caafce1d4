"""Training data as linear-learner and its kin read it. See docs/notes/first-party-algorithms.md#training-data."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from harness.formats import csv, diagnosis, recordio
from harness.formats.errors import FormatError
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.first_party import content_types
from harness.formats.readers.first_party.content_types import ContentType
from harness.formats.readers.refusal import DataRefused
from harness.formats.records import Records

BATCH_SIZE = 1000
"""The default of mini_batch_size, by which errors in CSV are named."""

# In the order in which a container names them: the fault, where it is, and what MXNet calls it.
_FAULTS = (
    ("missing_values", "features", "(Input Error) (NaN)"),
    ("infinite_values", "features", "(Input Error) (Inf)"),
    ("missing_values", "labels", "(Input Error) (NaN)"),
    ("infinite_values", "labels", "(Input Error) (Inf)"),
)


def labeled(
    files: Sequence[DataFile],
    content_type: str | None,
    *,
    channel: str = "train",
    batch_size: int = BATCH_SIZE,
    float32_only: bool = False,
) -> Iterator[Records]:
    """The records of a channel's files, in order, in float32, with one label each.

    DataRefused in the container's words: at once for a content type or for bytes that it cannot read, and
    after the last batch for what is wrong with the whole (no records, no labels, NaN, infinities), so a batch is
    good only when all have come. `batch_size` words the error for a line of CSV, which names the mini-batch
    it would have been in. `float32_only` refuses tensors of another type, as linear-learner documents.
    """
    kind = content_types.parse(content_type or content_types.RECORDIO)
    if kind.name not in (content_types.RECORDIO, content_types.CSV):
        raise DataRefused(diagnosis.say("unknown_content_type", content_type=kind.name))
    label_size = _label_size(kind)
    first: Records | None = None
    worst = len(_FAULTS)
    for file in files:
        if not file.size:
            continue
        try:
            with file.open() as stream:
                batches = (
                    csv.iter_batches(stream, label_size=label_size, missing=np.nan)
                    if kind.name == content_types.CSV
                    else recordio.iter_batches(stream)
                )
                for batch in batches:
                    first = first or batch
                    _check_form(batch, first, float32_only and kind.name == content_types.RECORDIO)
                    narrow = _narrowed(batch)
                    worst = min(worst, _fault(narrow))
                    yield narrow
        except FormatError as error:
            raise _unreadable(error, file, kind, content_type, channel, batch_size) from None
    if first is None:
        raise DataRefused(diagnosis.say("empty_channel", channel=channel))
    _check_labels(first, channel)
    if worst < len(_FAULTS):
        name, _, cause = _FAULTS[worst]
        raise DataRefused(diagnosis.say(name, channel=channel), ("MXNetError", cause))


def _label_size(kind: ContentType) -> int:
    text = kind.parameters.get("label_size", "1")
    if kind.name == content_types.CSV and not text.isdecimal():
        raise DataRefused(
            diagnosis.say("unknown_content_type", content_type=f"text/csv;label_size={text}")
        )
    return int(text) if text.isdecimal() else 1


def _check_form(batch: Records, first: Records, float32_only: bool) -> None:
    """FormatError for a batch that does not go with the first one of its channel, or has tensors of another type."""
    for have, want, what in (
        (batch.width, first.width, "features"),
        (batch.label_size, first.label_size, "labels"),
    ):
        if have != want:
            raise FormatError(f"records of {have} {what}", expected=f"{want}, as before")
    if float32_only:
        for array in (batch.features, batch.labels):
            if array is not None and array.dtype != np.float32:
                raise FormatError(f"tensors of {array.dtype}", expected="Float32 tensors only")


def _narrowed(batch: Records) -> Records:
    """float32, which is what the containers compute in; values too large for it become infinite."""
    with np.errstate(over="ignore"):
        labels = None if batch.labels is None else batch.labels.astype(np.float32)
        return Records(batch.features.astype(np.float32), labels)


def _fault(batch: Records) -> int:
    """The first of _FAULTS that a batch has, their number when it has none."""
    features = batch.features if isinstance(batch.features, np.ndarray) else batch.features.data
    arrays: dict[str, Any] = {"features": features, "labels": batch.labels}
    for number, (name, part, _) in enumerate(_FAULTS):
        wrong = np.isnan if name == "missing_values" else np.isinf
        if arrays[part] is not None and wrong(arrays[part]).any():
            return number
    return len(_FAULTS)


def _check_labels(first: Records, channel: str) -> None:
    if first.label_size != 1:
        raise DataRefused(diagnosis.say("label_size", channel=channel, found=first.label_size))
    if first.width == 0:
        raise DataRefused(diagnosis.say("empty_channel", channel=channel))


def _unreadable(
    error: FormatError,
    file: DataFile,
    kind: ContentType,
    content_type: str | None,
    channel: str,
    batch_size: int,
) -> DataRefused:
    cause = ("MXNetError", f"{file.shown}: {error}")
    if kind.name == content_types.CSV:
        first = (max(error.line or 1, 1) - 1) // batch_size * batch_size + 1
        return DataRefused(
            diagnosis.say(
                "unparsable_csv", first=first, last=first + batch_size - 1, file=file.shown
            ),
            cause,
        )
    if content_type is None:
        return DataRefused(diagnosis.say("wrong_default_content_type", channel=channel), cause)
    return DataRefused(
        diagnosis.say("wrong_content_type", channel=channel, content_type=kind.name), cause
    )
