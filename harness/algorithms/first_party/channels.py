"""Training channels to arrays, with the errors that containers give for data they cannot use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.contract import Channel
from harness.algorithms.first_party import content_types
from harness.algorithms.first_party.errors import CustomerError, NotHonoured
from harness.formats import csv, diagnosis, recordio
from harness.formats.errors import FormatError
from harness.formats.records import Records, concatenate

_BASE = "/opt/ml/input/data"


@dataclass(frozen=True)
class Dataset:
    """A channel in memory, in float32.

    `features` has shape (records, width), dense or scipy's csr; `labels` (records,); `size` is in
    bytes as it lay on disk.
    """

    channel: str
    features: Any
    labels: npt.NDArray[np.float32]
    size: int

    def __len__(self) -> int:
        return int(self.features.shape[0])

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.features.shape[1])

    @property
    def dense(self) -> bool:
        """Whether `features` is an ordinary array."""
        return isinstance(self.features, np.ndarray)


def read_labeled(channel: Channel, batch_size: int) -> Dataset:
    """Read all files of a channel, in order, with one label each.

    `batch_size` only words the error for a CSV line, which names the batch it would have been in.
    CustomerError for an unknown content type, unreadable data, missing labels, NaN and infinities.
    """
    if channel.input_mode != "File":
        raise NotHonoured(f"TrainingInputMode '{channel.input_mode}' (channel '{channel.name}')")
    if channel.record_wrapper_type != "None":
        raise NotHonoured(
            f"RecordWrapperType '{channel.record_wrapper_type}' (channel '{channel.name}')"
        )
    kind = content_types.parse(channel.content_type or content_types.RECORDIO)
    if kind.name not in (content_types.RECORDIO, content_types.CSV):
        raise CustomerError(diagnosis.say("unknown_content_type", content_type=kind.name))
    files = [file for file in channel.files() if file.stat().st_size]
    parts: list[Records] = []
    for file in files:
        parts.extend(_records(channel, kind, file, batch_size, parts))
    if not parts:
        raise CustomerError(diagnosis.say("empty_channel", channel=channel.name))
    return _dataset(channel.name, concatenate(parts), sum(file.stat().st_size for file in files))


def _records(
    channel: Channel,
    kind: content_types.ContentType,
    file: Path,
    batch_size: int,
    before: list[Records],
) -> Iterator[Records]:
    shown = f"{_BASE}/{channel.name}/{file.relative_to(channel.path)}"
    expected = before[0] if before else None
    with file.open("rb") as stream:
        try:
            if kind.name == content_types.CSV:
                batches = csv.iter_batches(stream, label_size=_label_size(kind))
            else:
                batches = recordio.iter_batches(stream)
            for batch in batches:
                expected = expected or batch
                if (batch.width, batch.labels is None) != (expected.width, expected.labels is None):
                    raise FormatError(
                        f"records of {batch.width} features",
                        expected=f"{expected.width}, as before",
                    )
                yield _narrowed(batch)
        except FormatError as error:
            raise _unreadable(channel, kind, shown, error, batch_size) from None


def _label_size(kind: content_types.ContentType) -> int:
    text = kind.parameters.get("label_size", "1")
    if not text.isdecimal():
        raise CustomerError(
            diagnosis.say("unknown_content_type", content_type=f"text/csv;label_size={text}")
        )
    return int(text)


def _narrowed(batch: Records) -> Records:
    """float32, which is what the containers compute in; values too large for it become infinite."""
    with np.errstate(over="ignore"):
        labels = None if batch.labels is None else batch.labels.astype(np.float32)
        return Records(batch.features.astype(np.float32), labels)


def _unreadable(
    channel: Channel,
    kind: content_types.ContentType,
    shown: str,
    error: FormatError,
    batch_size: int,
) -> CustomerError:
    cause = ("MXNetError", f"{shown}: {error}")
    if kind.name == content_types.CSV:
        first = (max(error.line or 1, 1) - 1) // batch_size * batch_size + 1
        return CustomerError(
            diagnosis.say("unparsable_csv", first=first, last=first + batch_size - 1, file=shown),
            caused_by=cause,
        )
    if channel.content_type is None:
        return CustomerError(
            diagnosis.say("wrong_default_content_type", channel=channel.name), caused_by=cause
        )
    return CustomerError(
        diagnosis.say("wrong_content_type", channel=channel.name, content_type=kind.name),
        caused_by=cause,
    )


def _dataset(name: str, records: Records, size: int) -> Dataset:
    labels = records.labels
    if labels is None or labels.ndim != 1 or records.width == 0:
        found = 0 if labels is None else 1 if labels.ndim == 1 else labels.shape[1]
        if found != 1:
            raise CustomerError(diagnosis.say("label_size", channel=name, found=found))
        raise CustomerError(diagnosis.say("empty_channel", channel=name))
    values = records.features if isinstance(records.features, np.ndarray) else records.features.data
    for array in (values, labels):
        if np.isnan(array).any():
            raise CustomerError(
                diagnosis.say("missing_values", channel=name),
                caused_by=("MXNetError", "(Input Error) (NaN)"),
            )
        if np.isinf(array).any():
            raise CustomerError(
                diagnosis.say("infinite_values", channel=name),
                caused_by=("MXNetError", "(Input Error) (Inf)"),
            )
    return Dataset(name, records.features, labels, size)
