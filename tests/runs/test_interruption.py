"""Signals are noticed wherever the main thread is, and end a lesson but not what comes after it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from harness.runs.interruption import Interrupted, SignalReader, Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_what_is_played(number: signal.Signals) -> None:
    """It is raised where the lesson waits, and remembered."""

    def play() -> None:
        os.kill(os.getpid(), number)
        threading.Event().wait()

    with Signals() as signals:
        with pytest.raises(Interrupted), signals.raised():
            play()
        assert signals.interrupted


def test_outside_a_lesson_it_is_only_kept() -> None:
    """A teardown goes on; the next lesson does not begin."""
    with Signals() as signals:
        assert not signals.interrupted
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals._came.wait(10)
        with pytest.raises(Interrupted), signals.raised():
            raise AssertionError("it was played")


def test_one_that_came_unnoticed_is_sent_again() -> None:
    """A main thread that entered a wait without having run its handler is woken."""

    def play(signals: Signals) -> None:
        # As if the interpreter had just gone to sleep: only the reader heard of the signal.
        signals._reader._writing.send(bytes([signal.SIGTERM]))
        threading.Event().wait()

    with Signals() as signals, pytest.raises(Interrupted), signals.raised():
        play(signals)


def test_handlers_are_put_back() -> None:
    """After the context a signal does what it did before, and no thread is left."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    threads = threading.active_count()
    with Signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert threading.active_count() == threads


def test_another_thread_may_play_without_signals() -> None:
    """Python lets only the main thread have handlers; elsewhere nothing is touched."""
    seen: list[object] = []

    def play() -> None:
        with Signals() as signals, signals.raised():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=play)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_reader_hears_while_the_main_thread_waits_in_c() -> None:
    """The callback runs though the main thread runs no instruction at all."""
    program = """
import ctypes, os, signal
from harness.runs.interruption import SignalReader
def heard(number):
    os.write(1, b"heard %d" % number)
    os._exit(0)
with SignalReader((signal.SIGTERM,), heard):
    os.write(1, b"ready ")
    while True:
        ctypes.CDLL(None).sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.read(6) == b"ready "
    child.send_signal(signal.SIGTERM)
    assert child.stdout.read() == b"heard 15"
    assert child.wait() == 0
    child.stdout.close()


def test_other_signals_are_not_its_business() -> None:
    """A signal that some other handler is for is not told."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.append(-1))
    try:
        with SignalReader((signal.SIGTERM,), heard.append):
            os.kill(os.getpid(), signal.SIGUSR1)
        assert heard == [-1]
    finally:
        signal.signal(signal.SIGUSR1, before)
