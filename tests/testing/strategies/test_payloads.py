"""Payloads have the magic number where a writer must split and where it must not; sizes meet the limit."""

import io

import pytest
from hypothesis import given

from harness.formats.framing import MAGIC_BYTES, frame, iter_frames
from harness.testing.strategies import payloads, sizes_around
from tests.testing.strategies.finding import found, least


def _places(payload: bytes) -> list[int]:
    return [at for at in range(len(payload)) if payload.startswith(MAGIC_BYTES, at)]


@pytest.mark.parametrize("shift", range(4))
def test_the_magic_number_occurs_at_each_alignment(shift: int) -> None:
    """It is found at a multiple of four and at one, two and three bytes beside it."""
    assert found(payloads(), lambda payload: any(at % 4 == shift for at in _places(payload)))


def test_the_magic_number_occurs_in_a_row_and_cut() -> None:
    """Two of them may touch, and a payload may end within one."""
    assert least(payloads(), lambda payload: MAGIC_BYTES * 2 in payload) == MAGIC_BYTES * 2
    assert least(payloads(), lambda payload: payload.endswith(MAGIC_BYTES[:3])) == MAGIC_BYTES[:3]


@given(payloads())
def test_a_payload_in_one_part_is_read_whole(payload: bytes) -> None:
    """The magic number within a part is data: the reader goes by the length."""
    (read,) = iter_frames(io.BytesIO(frame(payload)))
    assert read.payload == payload


@pytest.mark.parametrize("size", [0, 99, 100, 101, 199, 200, 301])
def test_sizes_meet_each_multiple_of_the_limit(size: int) -> None:
    """Exactly the limit, one less and one more are drawn, for one part and for several."""
    assert found(sizes_around(100), lambda drawn: drawn == size) == size


@given(sizes_around(100, parts=2))
def test_sizes_stay_near_the_limit(size: int) -> None:
    """No size is negative, or far from a multiple of the limit."""
    assert 0 <= size <= 208
    assert min(size % 100, -size % 100) <= 8
