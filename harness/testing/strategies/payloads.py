"""Bytes and sizes for whatever frames records: recordIO's magic number inside, lengths around a limit."""

from hypothesis import strategies as st

from harness.formats.framing import MAGIC_BYTES


def payloads(*, max_pieces: int = 8) -> st.SearchStrategy[bytes]:
    """Bytes in which recordIO's magic number occurs often, at a multiple of four and elsewhere.

    A writer that splits records must split at the former and only there; a reader that looks for
    the next record by its magic number is fooled by both. Shrinks to no bytes.
    """
    piece = st.binary(max_size=5) | st.sampled_from(
        [MAGIC_BYTES, MAGIC_BYTES * 2, MAGIC_BYTES[:3], MAGIC_BYTES[1:]]
    )
    return st.lists(piece, max_size=max_pieces).map(b"".join)


@st.composite
def sizes_around(draw: st.DrawFn, largest: int, *, parts: int = 3) -> int:
    """Sizes near a multiple of `largest`, from none to `parts` of it: exactly, some more, some less.

    `largest` is the most that one part takes. Shrinks to 0.
    """
    return max(0, draw(st.integers(0, parts)) * largest + draw(st.integers(-8, 8)))
