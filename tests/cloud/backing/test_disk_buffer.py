"""Bodies of S3 objects behave as files do and hold no descriptor."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.cloud.backing.disk_buffer import IN_MEMORY_BYTES, DiskBuffer

SIZES = st.sampled_from([0, 1, 7, 4096, IN_MEMORY_BYTES - 1, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1])


class BufferIsAFile(RuleBasedStateMachine):
    """Any sequence of operations gives what io.BytesIO gives."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer, self.model = DiskBuffer(), io.BytesIO()

    @rule(size=SIZES, byte=st.integers(0, 255))
    def write(self, size: int, byte: int) -> None:
        """Write `size` equal bytes."""
        data = bytes([byte]) * size
        assert self.model.write(data) == self.buffer.write(data)

    @rule(position=SIZES)
    def seek(self, position: int) -> None:
        """Move, but not beyond the end: moto does not."""
        position = min(position, len(self.model.getvalue()))
        self.model.seek(position)
        self.buffer.seek(position)

    @rule(size=st.one_of(st.just(-1), SIZES))
    def read(self, size: int) -> None:
        """Read some or all."""
        assert self.model.read(size) == self.buffer.read(size)

    @precondition(lambda self: True)
    @rule()
    def truncate(self) -> None:
        """Cut at the position."""
        assert self.model.truncate() == self.buffer.truncate()

    @invariant()
    def same_position(self) -> None:
        """The positions agree."""
        assert self.model.tell() == self.buffer.tell()

    def teardown(self) -> None:
        """Drop the body."""
        self.buffer.close()


TestBufferIsAFile = BufferIsAFile.TestCase


@given(size=st.integers(IN_MEMORY_BYTES + 1, 3 * IN_MEMORY_BYTES))
def test_a_large_body_holds_no_descriptor(size: int) -> None:
    """A body beyond the memory's share is on disk and no file stays open."""
    before = len(list(Path("/dev/fd").iterdir()))
    buffer = DiskBuffer()
    buffer.write(b"x" * size)
    assert before == len(list(Path("/dev/fd").iterdir()))
    buffer.close()


def test_the_file_goes_with_the_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a large body, or just forgetting it, removes its file."""
    monkeypatch.setattr(DiskBuffer, "folder", tmp_path)
    closed, forgotten = DiskBuffer(), DiskBuffer()
    for buffer in (closed, forgotten):
        buffer.write(b"x" * (IN_MEMORY_BYTES + 1))
    assert len(list(tmp_path.iterdir())) == 2
    closed.close()
    del buffer, forgotten
    assert list(tmp_path.iterdir()) == []


def test_a_closed_body_is_refused() -> None:
    """Reading a body that was disposed of is a ValueError, as for any closed file."""
    buffer = DiskBuffer()
    buffer.close()
    with pytest.raises(ValueError, match="disposed"):
        buffer.read()
