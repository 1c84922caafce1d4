"""CSV so plain that xgboost's own reader, which never complains, takes it for what it is.

That reader is several times as fast as any other here, and it is the one in the image. What is not plain (words,
quotes, lines of different length, an empty label, odd numbers) is left to the codec, which says what is wrong.
"""

from collections.abc import Sequence

import numpy as np

from harness.formats.readers.data_file import DataFile

_BLOCK = 1 << 20
_MOST_DIGITS = 18
"""Before the point: more than that is more than xgboost's reader has room for."""

# Each character becomes its kind, each pair of neighbours a number; whole blocks are searched for bad ones.
_DIGIT, _POINT, _EXPONENT, _SIGN, _COMMA, _NEWLINE, _OTHER = range(7)
_KINDS = bytes(
    {
        **dict.fromkeys(range(256), _OTHER),
        **dict.fromkeys(b"0123456789", _DIGIT),
        **dict.fromkeys(b".", _POINT),
        **dict.fromkeys(b"eE", _EXPONENT),
        **dict.fromkeys(b"+-", _SIGN),
        **dict.fromkeys(b",", _COMMA),
        **dict.fromkeys(b"\n", _NEWLINE),
    }.values()
)
_MAY_FOLLOW = {
    _DIGIT: (_DIGIT, _POINT, _EXPONENT, _COMMA, _NEWLINE),
    _POINT: (_DIGIT, _EXPONENT, _COMMA, _NEWLINE),
    _EXPONENT: (_SIGN,),
    _SIGN: (_DIGIT, _POINT),
    _COMMA: (_DIGIT, _POINT, _SIGN, _COMMA),
    _NEWLINE: (_DIGIT, _POINT, _SIGN),
    _OTHER: (),
}
_FINE, _BAD, _BARE_BEFORE, _BARE_AFTER = range(4)
"""Of a pair: may be, may not be, a point without digit before it, a point without digit after it."""


def _verdict(before: int, after: int) -> int:
    if after not in _MAY_FOLLOW.get(before, ()):
        return _BAD
    if after == _POINT and before != _DIGIT:
        return _BARE_BEFORE
    return _BARE_AFTER if before == _POINT and after != _DIGIT else _FINE


_PAIRS = bytes(_verdict(*divmod(pair, 8)) for pair in range(256))
# Only small numbers are plain with an exponent: others may be too large for the reader.
_LARGE = (b"e+", b"E+")


def is_plain(files: Sequence[DataFile]) -> bool:
    """Whether all files are lines of the same number of plain cells, two at least, the first and the last not empty."""
    form = b""
    for file in files:
        with file.open() as stream:
            while block := stream.read(_BLOCK):
                block += stream.readline(_BLOCK)
                if not block.endswith(b"\n"):
                    if stream.read(1):
                        return False
                    block += b"\n"
                # What is left of a cell without digits and signs: its point, its exponent, what ends it.
                marks = block.translate(None, b"0123456789+-")
                if not _has_plain_cells(block, marks):
                    return False
                separators = marks.translate(None, b".eE")
                form = form or separators[: separators.index(b"\n") + 1]
                if len(form) < 2 or separators != form * (len(separators) // len(form)):
                    return False
    return bool(form)


def _has_plain_cells(block: bytes, marks: bytes) -> bool:
    """Whether there is nothing but numbers and separators in whole lines."""
    kinds = b"\n".translate(_KINDS) + block.translate(_KINDS)
    array = np.frombuffer(kinds, np.uint8)
    pairs = (array[:-1] * np.uint8(8) + array[1:]).tobytes().translate(_PAIRS)
    if _BAD in pairs or (_BARE_BEFORE in pairs and bytes([_BARE_BEFORE, _BARE_AFTER]) in pairs):
        return False
    # In a cell at most one point, one exponent, and no point after the exponent.
    if b".." in marks:
        return False
    if b"e" in marks or b"E" in marks:
        marks = marks.replace(b"E", b"e")
        if b"ee" in marks or b"e." in marks or any(sign in block for sign in _LARGE):
            return False
    if bytes([_DIGIT]) * (_MOST_DIGITS + 1) in kinds:
        others = np.flatnonzero(array != _DIGIT)
        long = np.flatnonzero(np.diff(others) > _MOST_DIGITS + 1)
        return bool((array[others[long]] == _POINT).all())
    return True
