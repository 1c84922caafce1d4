"""Lines of libsvm to arrays, a block of them at a time and without a loop over what they hold."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.formats.decimals import MOST, Numerals, Positions, numerals
from harness.formats.errors import FormatError
from harness.formats.lines import Block
from harness.formats.records import Array

_COMMENT = re.compile(rb"#[^\n]*+")
_QUERY = b"qid:"
_NEWLINE, _COLON = b"\n:"


@dataclass(frozen=True)
class Rows:
    """Records in the layout of scipy's csr, and beside them what not all files have.

    The features of row r are `indices` and `values` from `ends[r]` to `ends[r + 1]`.
    """

    indices: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    ends: Positions
    labels: Array | None
    weights: Array | None
    qids: Array | None

    def __len__(self) -> int:
        return len(self.ends) - 1


@dataclass(frozen=True)
class _Roles:
    """What the numerals of a block are, by their numbers; `first` of each record, features by record in `ends`."""

    first: Positions
    labels: Positions
    weights: Positions
    qids: Positions
    indices: Positions
    values: Positions
    ends: Positions


class RowReader:
    """Turns blocks that the grammar allows into rows, and remembers what later ones must agree with."""

    def __init__(self, *, labels: bool, width: int | None, one_based: bool) -> None:
        self._labels = labels
        self._given = width
        self._base = 1 if one_based else 0
        self._has: dict[str, bool] = {}
        self.width = width or 0
        """The width given, or what the highest index so far makes it."""

    def read(self, block: Block) -> Rows:
        """The records of a block, in order.

        FormatError, for the first that the block has, for an index outside the width, one that
        occurs twice, and for a weight or a qid that only some records have.
        """
        # Blanks keep every number where it is.
        text = block.data.replace(_QUERY, b" " * len(_QUERY))
        if b"#" in text:
            text = _COMMENT.sub(lambda match: b" " * len(match.group()), text)
        found = numerals(text)
        roles = _roles(block.data, text, found, self._labels)
        indices = found.integers(roles.indices)
        qids = found.integers(roles.qids)
        faults = [
            *self._index_faults(indices, roles),
            *self._uneven(roles),
            *_faulty(roles.qids[qids == MOST], "a qid that does not fit", "64 bits"),
        ]
        if faults:
            token, problem, expected = min(faults)
            raise _error(block, int(found.starts[token]), problem, expected)
        if self._given is None and len(indices):
            self.width = max(self.width, int(indices.max()) - self._base + 1)
        return Rows(
            indices - self._base,
            found.floats(roles.values),
            roles.ends,
            found.floats(roles.labels) if self._labels else None,
            found.floats(roles.weights) if self._has.get("weight") else None,
            qids if self._has.get("qid") else None,
        )

    def _index_faults(
        self, indices: npt.NDArray[np.int64], roles: _Roles
    ) -> Iterator[tuple[int, str, str]]:
        at = roles.indices
        yield from _faulty(at[indices < self._base], "index 0", "indices from 1")
        yield from _faulty(at[indices == MOST], "an index that does not fit", "less than 64 bits")
        if self._given is not None:
            beyond = at[indices - self._base >= self._given]
            last = self._given - 1 + self._base
            yield from _faulty(beyond, "an index outside the width", f"at most {last}")
        twice = _repeated(indices, roles.ends)
        yield from _faulty(at[twice], "an index that occurs twice", "distinct indices")

    def _uneven(self, roles: _Roles) -> Iterator[tuple[int, str, str]]:
        """Records that have what the first one lacks, or lack what it has."""
        for name, tokens in (("weight", roles.weights), ("qid", roles.qids)):
            has = np.zeros(len(roles.first), np.bool_)
            has[np.searchsorted(roles.first, tokens, "right") - 1] = True
            if len(has):
                self._has.setdefault(name, bool(has[0]))
            if self._has.get(name):
                yield from _faulty(
                    roles.first[~has], f"a record without {name}", f"a {name}, as before"
                )
            else:
                yield from _faulty(
                    roles.first[has], f"a record with a {name}", f"no {name}, as before"
                )


def _roles(data: bytes, text: bytes, found: Numerals, labels: bool) -> _Roles:
    """Tell what each numeral of `text` is: `data` is the same with its comments and words."""
    characters = np.frombuffer(text + b"\n", np.uint8)
    ends = np.flatnonzero(characters == _NEWLINE)
    lasts = np.searchsorted(found.starts, ends)
    firsts = np.concatenate([[0], lasts[:-1]])
    first = firsts[lasts > firsts]

    queried = np.zeros(len(found.starts), np.bool_)
    if _QUERY in data:
        before = np.frombuffer(b"\n" + data, np.uint8)[found.starts]
        queried = (before == _COLON) & (
            np.frombuffer(b"\n" + text, np.uint8)[found.starts] != _COLON
        )
    led = characters[found.ends[first]] == _COLON
    leading = first if labels else first[~led & ~queried[first]]
    weights = first[led] + 1 if labels else first[:0]
    rest = np.ones(len(found.starts), np.bool_)
    for others in (leading, weights, queried):
        rest[others] = False
    features = np.flatnonzero(rest)
    indices = features[::2]
    return _Roles(
        first,
        leading,
        weights,
        np.flatnonzero(queried),
        indices,
        features[1::2],
        np.append(np.searchsorted(indices, first), len(indices)),
    )


def _repeated(indices: npt.NDArray[np.int64], ends: Positions) -> Positions:
    """Where an index stands that its row has already had."""
    rising = indices[1:] > indices[:-1]
    borders = ends[(ends > 0) & (ends < len(indices))]
    rising[borders - 1] = True
    if rising.all():
        return borders[:0]
    rows = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    order = np.lexsort((indices, rows))
    same = (np.diff(rows[order]) == 0) & (np.diff(indices[order]) == 0)
    return np.sort(order[1:][same])


def _faulty(tokens: Positions, problem: str, expected: str) -> Iterator[tuple[int, str, str]]:
    if len(tokens):
        yield int(tokens[0]), problem, expected


def _error(block: Block, at: int, problem: str, expected: str) -> FormatError:
    return FormatError(
        problem,
        expected=expected,
        line=block.line + block.data.count(b"\n", 0, at),
        column=at - block.data.rfind(b"\n", 0, at),
        offset=block.offset + at,
    )
