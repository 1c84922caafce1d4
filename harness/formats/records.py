"""What the codecs give back: features as a matrix, labels beside them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Records:
    """`features` has shape (records, width): an array, or scipy's `csr_matrix` when a record was sparse.

    `labels` has shape (records,), or (records, k) for k labels each, or is None where there are none.
    """

    features: Any
    labels: Array | None = None

    def __len__(self) -> int:
        return int(self.features.shape[0])

    @property
    def width(self) -> int:
        """Number of features of each record."""
        return int(self.features.shape[1])

    @property
    def label_size(self) -> int:
        """Number of labels of each record."""
        if self.labels is None:
            return 0
        return 1 if self.labels.ndim == 1 else int(self.labels.shape[1])


def concatenate(parts: list[Records]) -> Records:
    """Batches of one file, in order, as one; their widths agree."""
    if len(parts) == 1:
        return parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    if any(not isinstance(part.features, np.ndarray) for part in parts):
        from scipy import sparse

        features: Any = sparse.vstack(
            [sparse.csr_matrix(part.features) for part in parts], format="csr"
        )
    else:
        features = np.concatenate([part.features for part in parts])
    return Records(features, np.concatenate(labels) if labels else None)
