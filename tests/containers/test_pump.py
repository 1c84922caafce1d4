"""The pump: what is read at the end of a container, and how others fare meanwhile."""

import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from harness.containers.pump import Feed, Pump
from tests.containers.log_collector import LogCollector
from tests.containers.processes import PATIENCE, open_descriptors


class Ends:
    """One container's end of the wire: a pipe to print to and a socket to speak on."""

    def __init__(self) -> None:
        self.log = LogCollector()
        self.last_words: list[dict[str, Any] | None] = []
        self.ended = threading.Event()
        output, self.printer = os.pipe()
        self.supervisor, control = socket.socketpair()
        self.feed = Feed(output, control, self.log, self.end)

    def end(self, words: dict[str, Any] | None) -> None:
        """Hear the end."""
        self.last_words.append(words)
        self.ended.set()


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A container's ends of the wire."""
    ends = Ends()
    yield ends
    os.close(ends.printer)
    ends.supervisor.close()


@pytest.fixture
def pump() -> Iterator[Pump]:
    """A pump."""
    pump = Pump()
    yield pump
    pump.close()


def test_rest_of_pipe_is_read(ends: Ends) -> None:
    """What is in the pipe when the supervisor has said its last is delivered before the end is told."""
    text = "x" * 99 + "\n"
    os.write(ends.printer, text.encode() * 600 + b"no newline")
    ends.feed.finish()
    assert ends.log.messages == ["x" * 99] * 600 + ["no newline"]
    assert ends.last_words == [None]


def test_stranger_with_pipe_is_not_waited_for(ends: Ends) -> None:
    """Somebody who keeps the pipe full for ever does not keep the container from ending."""
    stranger = subprocess.Popen(["yes"], stdout=ends.printer)
    poll = select.poll()
    poll.register(ends.feed.log, select.POLLIN)
    assert poll.poll(PATIENCE * 1000)
    ends.feed.finish()
    assert stranger.wait(PATIENCE) == -signal.SIGPIPE
    assert ends.last_words == [None]
    assert set(ends.log.messages) == {"y"}


def test_words_before_and_after(pump: Pump, ends: Ends) -> None:
    """The supervisor's last words are one line of JSON, in however many pieces it comes."""
    pump.attend(ends.feed)
    os.write(ends.printer, b"first\nsec")
    assert ends.log.wait_for_start("first") == ""
    for piece in (b'{"co', b'de": 3', b"}\n"):
        ends.supervisor.send(piece)
    assert ends.ended.wait(PATIENCE)
    assert ends.last_words == [{"code": 3}]
    assert ends.log.messages == ["first", "sec"]


def test_silence(pump: Pump, ends: Ends) -> None:
    """A supervisor that breaks off in the middle of a word has said nothing."""
    pump.attend(ends.feed)
    ends.supervisor.send(b'{"code": 3')
    ends.supervisor.shutdown(socket.SHUT_RDWR)
    assert ends.ended.wait(PATIENCE)
    assert ends.last_words == [None]


def test_output_after_closed_stdout(pump: Pump, ends: Ends) -> None:
    """A program that closes its output and runs on costs nothing until its end."""
    pump.attend(ends.feed)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, ends.printer)
    os.close(null)
    ends.supervisor.send(b'{"signal": 9}\n')
    assert ends.ended.wait(PATIENCE)
    assert ends.last_words == [{"signal": 9}]


def test_everything_is_closed() -> None:
    """A pump leaves no descriptor behind, of feeds or of its own."""
    before = open_descriptors()
    pump, ends = Pump(), Ends()
    pump.attend(ends.feed)
    watched, other = os.pipe()
    pump.watch(watched, lambda: None)
    ends.supervisor.close()
    assert ends.ended.wait(PATIENCE)
    pump.close()
    pump.close()
    os.close(ends.printer)
    os.close(other)
    assert open_descriptors() == before


def test_watch(pump: Pump) -> None:
    """A watched descriptor is told of once, and closed."""
    handle, other = os.pipe()
    told = threading.Semaphore(0)
    pump.watch(handle, told.release)
    os.close(other)
    assert told.acquire(timeout=PATIENCE)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(handle)
