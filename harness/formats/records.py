"""What the codecs give back and take: features as a matrix, labels beside them; whole or in batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.formats.errors import FormatError

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


Batch = Records | tuple[Any, Array | None]
"""What writers take a stream of: `Records`, or features and labels."""


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


def checked(features: Any, labels: Any = None) -> Records:
    """Features and labels as Records. FormatError when they are no matrix with labels for each row."""
    features = plain(features)
    if len(features.shape) != 2:
        raise FormatError(
            f"an array of shape {features.shape}", expected="shape (records, features)"
        )
    if labels is None:
        return Records(features)
    labels = plain(labels)
    if is_sparse(labels) or len(labels.shape) not in (1, 2) or labels.shape[0] != features.shape[0]:
        count = features.shape[0]
        raise FormatError(
            f"labels of shape {labels.shape}",
            expected=f"an array of shape ({count},) or ({count}, labels), as there are {count} records",
        )
    return Records(features, labels)


def plain(array: Any) -> Any:
    """A numpy array without a mask, or a scipy sparse matrix as it is; FormatError for anything else.

    What a mask hides is NaN, as it is to Python's `float`.
    """
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        raise FormatError(
            f"a {type(array).__name__}", expected="a numpy array or a scipy sparse matrix"
        )
    if is_sparse(array):
        return array
    if isinstance(array, np.ma.MaskedArray):
        if array.dtype.kind == "f":
            return array.filled(np.nan)
        if np.ma.is_masked(array):
            raise FormatError(f"masked values of {array.dtype}", expected="a value in each place")
    return np.asarray(array)


def is_sparse(array: Any) -> bool:
    """Whether this is a scipy sparse matrix; scipy is not imported to find out."""
    return hasattr(array, "tocsr")


def agreeing(batches: Iterable[Batch]) -> Iterator[Records]:
    """Each batch as Records. FormatError when one has not as many features and labels as the first."""
    first: tuple[int, int] | None = None
    for index, batch in enumerate(batches):
        if isinstance(batch, Records):
            records = checked(batch.features, batch.labels)
        elif isinstance(batch, tuple) and len(batch) == 2:
            records = checked(*batch)
        else:
            raise FormatError(
                f"batch {index} is a {type(batch).__name__}",
                expected="Records, or a pair of features and labels",
            )
        sizes = records.width, records.label_size
        first = first or sizes
        for what, have, want in zip(("features", "labels"), sizes, first, strict=True):
            if have != want:
                raise FormatError(f"batch {index} has {have} {what}", expected=f"{want}, as before")
        yield records
