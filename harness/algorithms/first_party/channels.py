"""Training channels to arrays, with the errors that containers give for data they cannot use."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.contract import Channel
from harness.algorithms.first_party.errors import CustomerError, NotHonoured
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.first_party.channels import labeled
from harness.formats.readers.refusal import DataRefused
from harness.formats.records import concatenate

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


def read_labeled(channel: Channel, batch_size: int, *, float32_only: bool = False) -> Dataset:
    """Read all files of a channel, in order, with one label each.

    `batch_size` only words the error for a CSV line, which names the batch it would have been in.
    `float32_only` refuses recordIO with tensors of another type. CustomerError for an unknown content type,
    unreadable data, missing labels, NaN and infinities.
    """
    if channel.input_mode != "File":
        raise NotHonoured(f"TrainingInputMode '{channel.input_mode}' (channel '{channel.name}')")
    if channel.record_wrapper_type != "None":
        raise NotHonoured(
            f"RecordWrapperType '{channel.record_wrapper_type}' (channel '{channel.name}')"
        )
    files = [
        DataFile(path, f"{_BASE}/{channel.name}/{path.relative_to(channel.path)}")
        for path in channel.files()
    ]
    try:
        records = concatenate(
            list(
                labeled(
                    files,
                    channel.content_type,
                    channel=channel.name,
                    batch_size=batch_size,
                    float32_only=float32_only,
                )
            )
        )
    except DataRefused as refused:
        raise CustomerError(refused.text, caused_by=refused.cause) from None
    assert records.labels is not None, "the reader refuses records without labels"
    return Dataset(channel.name, records.features, records.labels, sum(file.size for file in files))
