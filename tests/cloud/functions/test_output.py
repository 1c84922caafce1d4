"""Bytes that a function's process prints, in whatever pieces they come."""

import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cloud.functions.function_log import FunctionLog
from harness.cloud.functions.output import Mark, OutputSplitter
from harness.cloud.functions.var_runtime.bootstrap import MARK
from harness.containers.spec import LogLine

RECORD = b"\xa5\x5a\x00\x03"
LARGEST = 64


def frame(kind: bytes, message: bytes) -> bytes:
    """A frame as awslambdaric writes it."""
    return kind + len(message).to_bytes(4, "big") + bytes(8) + message


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PIECES = st.lists(
    st.tuples(st.sampled_from(["line", "text", "record", "mark"]), TEXT.filter(bool)), max_size=12
)


@example([("text", "a"), ("text", "b"), ("record", "c\nd"), ("line", "é"), ("mark", "ready")], 1)
@given(pieces=PIECES, size=st.integers(1, 40))
def test_any_pieces(pieces: list[tuple[str, str]], size: int) -> None:
    """Lines keep their newlines, records are whole, marks are in their place, however the bytes are cut."""
    data, expected = b"", list[str]()
    open_line = False
    for kind, text in pieces:
        encoded = text.encode()
        if kind in ("line", "text"):
            encoded += b"\n" if kind == "line" else b""
            data += encoded
            for line in encoded.decode().split("\n"):
                if open_line:
                    expected[-1] += line
                else:
                    expected.append(line)
                expected[-1] += "\n"
                open_line = False
            expected[-1] = expected[-1][:-1]
            open_line = bool(expected[-1])
            if not open_line:
                expected.pop()
        else:
            data += frame(RECORD if kind == "record" else MARK, encoded)
            expected.append(text)
            open_line = False
    splitter = OutputSplitter()
    seen = []
    for place in range(0, len(data), size):
        seen += splitter.feed(data[place : place + size])
    seen += splitter.finish()
    assert "".join(seen) == "".join(expected)
    assert [str(message) for message in seen] == expected
    assert [m for m in seen if isinstance(m, Mark)] == [t for k, t in pieces if k == "mark"]


@given(st.integers(0, 1000), st.integers(1, 200))
def test_long_messages_come_in_pieces(length: int, size: int) -> None:
    """Neither a line nor a record is kept beyond the largest piece; nothing is lost."""
    data = b"x" * length + b"\n" + frame(RECORD, b"y" * length)
    splitter = OutputSplitter(LARGEST)
    seen = []
    for place in range(0, len(data), size):
        seen += splitter.feed(data[place : place + size])
        assert len(splitter._rest) <= LARGEST + 16 + size
    seen += splitter.finish()
    assert "".join(seen) == "x" * length + "\n" + "y" * length
    assert all(len(message) <= LARGEST for message in seen)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes(data: bytes, size: int) -> None:
    """Whatever a process prints is text in the end."""
    splitter = OutputSplitter()
    for place in range(0, len(data), size):
        for message in splitter.feed(data[place : place + size]):
            message.encode()
    splitter.finish()


class Log:
    """A function's log in memory."""

    def __init__(self, tail_bytes: int = 100) -> None:
        self.lines: list[LogLine] = []
        self.log = FunctionLog(lambda lines: self.lines.extend(lines), tail_bytes)

    @property
    def messages(self) -> list[str]:
        """The texts."""
        return [line.message for line in self.lines]


def test_start_is_written_with_what_follows() -> None:
    """START stands before what the invocation prints, END and REPORT behind it, once."""
    log = Log()
    log.log.begin("id", "1", None)
    assert log.messages == []
    log.log.take(
        [LogLine(1, "a\n"), LogLine(2, Mark("x")), LogLine(3, "b\n")], lambda mark: lambda: None
    )
    log.log.complete(128, 7, duration=1.5)
    log.log.complete(128, 7, duration=9)
    assert log.messages == [
        "START RequestId: id Version: 1\n",
        "a\n",
        "b\n",
        "END RequestId: id\n",
        "REPORT RequestId: id\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 7 MB\t\n",
    ]


def test_an_abandoned_invocation_leaves_nothing() -> None:
    """An invocation that goes to another process is not in the log."""
    log = Log()
    log.log.begin("id", "1", None)
    log.log.abandon()
    log.log.complete(128, 7)
    log.log.add("a\n")
    assert log.messages == ["a\n"]


def test_times_do_not_run_backwards() -> None:
    """Lines have the time at which they were taken, but never an earlier one than those before them."""
    log = Log()
    log.log.add("now\n")
    log.log.take([LogLine(5, "from another thread\n")], lambda mark: lambda: None)
    first, second = log.lines
    assert second.timestamp == first.timestamp > time.time_ns() // 1_000_000 - 60_000


@given(st.lists(TEXT, max_size=30), st.integers(1, 200))
def test_tail(texts: list[str], size: int) -> None:
    """The tail is the end of what was logged since START, as many bytes as asked for."""
    log = Log(size)
    log.log.add("before\n")
    log.log.begin("id", "1", None)
    log.log.add(*(f"{text}\n" for text in texts))
    whole = "".join(["START RequestId: id Version: 1\n", *(f"{text}\n" for text in texts)]).encode()
    assert log.log.tail() == (whole[-size:] if texts else log.log.tail())


def test_a_log_that_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    """Where a log goes may fail; the invocation, whose marks come with it, does not."""

    def fail(lines: object) -> None:
        raise OSError("no room")

    log = FunctionLog(fail, 100)
    reached = threading.Event()
    log.take([LogLine(1, "a\n"), LogLine(2, Mark("x"))], lambda mark: reached.set)
    assert reached.is_set()
    assert "no room" in caplog.text
