"""What every engine promises: the tests of spec.Engine and spec.Container.

An engine's own test module makes a class of EngineContract with a fixture `engine`.
"""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.containers.spec import Container, ContainerSpec, Engine, Exit, Program
from tests.containers.log_collector import LogCollector
from tests.containers.processes import PATIENCE, marked, open_descriptors, state, wait_until_gone

MODULE = "tests.containers.sample_program"

SLEEPER = "import signal; print('ready', flush=True); signal.pause()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
GRANDCHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {DEAF!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print("grandchild", child.pid, flush=True)
"""
DAEMON = """
import os, signal, sys
ready, done = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("daemon", os.getpid(), flush=True)
        os.write(done, b"!")
        signal.pause()
    os._exit(0)
os.wait()
os.read(ready, 1)
"""
RUNAWAY = """
import os, sys
print("running", flush=True)
if os.fork() == 0:
    os.setsid()
    for generation in range(1_000_000):
        if os.fork():
            os._exit(0)
"""

SERVER = """
import http.server, os
address = os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
server = http.server.HTTPServer(address, http.server.BaseHTTPRequestHandler)
print("listening", flush=True)
server.serve_forever()
"""


def python(code: str) -> Program:
    """An executable program: `code` in an interpreter of its own."""
    return Program(arguments=(sys.executable, "-u", "-c", code))


@dataclass(frozen=True)
class Runner:
    """Starts containers of one engine, each with a folder and a log of its own."""

    engine: Engine
    folder: Path

    def spec(self, program: Program, **changes: object) -> ContainerSpec:
        """A training container in a new folder."""
        root = self.folder / str(len(list(self.folder.iterdir())))
        root.mkdir()
        spec = ContainerSpec("a job", "an image", program, "train", {}, root)
        return replace(spec, **changes)  # type: ignore[arg-type]

    def start(self, program: Program, **changes: object) -> tuple[Container, LogCollector]:
        """Start a container."""
        log = LogCollector()
        return self.engine.start(self.spec(program, **changes), log), log

    def run(self, program: Program, **changes: object) -> tuple[Exit, LogCollector]:
        """Run a container to its end."""
        container, log = self.start(program, **changes)
        exit = container.wait(PATIENCE)
        assert exit is not None, f"it does not end: {log.messages[-10:]}"
        return exit, log


class EngineContract:
    """The promises.

    Fixtures of the engine's module: `engine` is shared by the tests, `make_engine` makes one more, `crowd` is how
    many containers it shall run at a time.
    """

    @pytest.fixture
    def runner(self, engine: Engine, tmp_path: Path) -> Runner:
        """Starts containers."""
        return Runner(engine, tmp_path)

    # How a program ends.

    @pytest.mark.parametrize("code", [0, 1, 3, 255])
    def test_exit_code_of_executable(self, runner: Runner, code: int) -> None:
        """The exit code of an executable is the container's."""
        exit, _ = runner.run(python(f"import sys; sys.exit({code})"))
        assert exit == Exit(code=code)
        assert exit.ok == (code == 0)
        assert exit.shell_code == code

    @pytest.mark.parametrize("code", [0, 7, 255])
    def test_exit_code_of_module(self, runner: Runner, code: int) -> None:
        """What main returns is the container's exit code."""
        exit, log = runner.run(Program(MODULE, ("code", str(code))))
        assert exit == Exit(code=code)
        assert log.messages == []

    def test_module_returning_none(self, runner: Runner) -> None:
        """A main that returns None has succeeded."""
        assert runner.run(Program(MODULE, ("nothing",)))[0] == Exit(code=0)

    def test_uncaught_exception(self, runner: Runner) -> None:
        """An exception that leaves main is printed with its traceback; the exit code is 1."""
        exit, log = runner.run(Program(MODULE, ("crash",)))
        assert exit == Exit(code=1)
        assert log.messages[0] == "Traceback (most recent call last):"
        assert log.messages[-1] == "RuntimeError: this program crashes"

    def test_module_that_is_not_there(self, runner: Runner) -> None:
        """A module that cannot be imported is told in the log; the exit code is 1."""
        exit, log = runner.run(Program("tests.containers.no_such_program"))
        assert exit == Exit(code=1)
        assert "no_such_program" in log.messages[-1]

    def test_exit_with_text(self, runner: Runner) -> None:
        """sys.exit with a text prints it; the exit code is 1."""
        exit, log = runner.run(Program(MODULE, ("leave with a text",)))
        assert exit == Exit(code=1)
        assert log.messages == ["leaving with a text"]

    def test_threads_and_atexit(self, runner: Runner) -> None:
        """Threads that are no daemons finish, and atexit calls are made, before a module program ends."""
        exit, log = runner.run(Program(MODULE, ("threads and exits",)))
        assert exit == Exit(code=0)
        assert log.messages == ["main still runs: True", "said at exit"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
    def test_ended_by_signal(self, runner: Runner, number: signal.Signals) -> None:
        """A program that a signal ends has no exit code but the signal; Docker would say 128 more."""
        exit, _ = runner.run(python(f"import os; os.kill(os.getpid(), {int(number)})"))
        assert exit == Exit(signal=int(number))
        assert exit.shell_code == 128 + number
        assert not exit.ok

    def test_killed_from_outside(self, runner: Runner) -> None:
        """A program that somebody kills has ended by SIGKILL, and its descendants with it."""
        container, log = runner.start(python(f"{GRANDCHILD}\n{SLEEPER}"))
        grandchild = int(log.wait_for_start("grandchild "))
        os.kill(container.pid, signal.SIGKILL)
        assert container.wait(PATIENCE) == Exit(signal=9)
        wait_until_gone(grandchild)

    def test_missing_executable(self, runner: Runner) -> None:
        """An executable that does not exist gives exit code 127 and a line in the log, as from a shell."""
        exit, log = runner.run(Program(arguments=("no-such-program-anywhere",)))
        assert exit == Exit(code=127)
        assert "no-such-program-anywhere" in log.messages[0]

    def test_file_that_is_not_executable(self, runner: Runner, tmp_path: Path) -> None:
        """A file without permission to be executed gives exit code 126 and a line in the log."""
        (tmp_path / "text").write_text("not a program")
        exit, log = runner.run(Program(arguments=(str(tmp_path / "text"),)))
        assert exit == Exit(code=126)
        assert str(tmp_path / "text") in log.messages[0]

    # What a program finds.

    def test_surroundings_of_module(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """A module program finds its arguments, its root as working folder, no input, and no other environment."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-cloud")
        spec = runner.spec(Program(MODULE, ("echo", "a b")), environment={"NAME": "välue =1"})
        log = LogCollector()
        assert runner.engine.start(spec, log).wait(PATIENCE) == Exit(code=0)
        assert log.messages == [
            "argv echo a b train",
            f"cwd {spec.root}",
            "stdin ''",
            f"environ NAME=välue =1 SAGEMAKER_BASE_DIR={spec.root}",
            f"sys.argv {MODULE} echo a b train",
        ]

    def test_surroundings_of_executable(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An executable finds the same."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-cloud")
        # With arguments of its own, not through a shell, which would add variables.
        code = "import os,sys; print(sys.argv[1:], os.getcwd(), sys.stdin.read(), sorted(os.environ.items()))"
        spec = runner.spec(python(code), environment={"A": "1", "LC_ALL": "C.UTF-8"})
        log = LogCollector()
        assert runner.engine.start(spec, log).wait(PATIENCE) == Exit(code=0)
        environment = [("A", "1"), ("LC_ALL", "C.UTF-8"), ("SAGEMAKER_BASE_DIR", str(spec.root))]
        assert log.messages == [f"['train'] {spec.root}  {environment}"]

    def test_own_path(self, runner: Runner, tmp_path: Path) -> None:
        """A program without a slash is looked up in the PATH that the container was given."""
        (tmp_path / "bin").mkdir()
        tool = tmp_path / "bin" / "a-tool-of-the-container"
        tool.write_text("#!/bin/sh\necho found\n")
        tool.chmod(0o755)
        environment = {"PATH": str(tool.parent)}
        exit, log = runner.run(Program(arguments=(tool.name,)), environment=environment)
        assert (exit, log.messages) == (Exit(code=0), ["found"])

    def test_signals_are_not_blocked(self, runner: Runner) -> None:
        """A program begins with default actions for signals and with none of them blocked."""
        code = (
            "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), "
            "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "
            "signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)"
        )
        assert runner.run(python(code))[1].messages == ["set() True True"]

    def test_no_descriptor_is_inherited(self, runner: Runner) -> None:
        """A program has its three standard streams open and nothing else."""
        code = "import os; print(sorted(os.listdir('/dev/fd')))"
        assert runner.run(python(code))[1].messages == ["['0', '1', '2', '3']"]

    def test_loaders_variables(self, runner: Runner) -> None:
        """Variables that an interpreter reads at its start have their effect on module programs too."""
        first, second = (
            runner.run(Program(MODULE, ("hash",)), environment={"PYTHONHASHSEED": "11"})[1].messages
            for _ in range(2)
        )
        assert first == second
        other = runner.run(Program(MODULE, ("hash",)), environment={"PYTHONHASHSEED": "12"})[1]
        assert other.messages != first

    # Its log.

    def test_order_of_streams(self, runner: Runner) -> None:
        """Lines on stdout and stderr of a module program stay in the order in which they were printed."""
        _, log = runner.run(Program(MODULE, ("both streams",)))
        assert log.messages == [f"line {number}" for number in range(200)]

    def test_binary_output(self, runner: Runner) -> None:
        """What is not UTF-8 is replaced; zero bytes, carriage returns and empty lines are kept."""
        code = (
            r"import os; os.write(1, b'\xff\xfe caf\xc3\xa9\r\n\n50%\r100%\r\nzero \0 byte\nend')"
        )
        _, log = runner.run(python(code))
        assert log.messages == ["\ufffd\ufffd café", "", "50%\r100%", "zero \0 byte", "end"]

    def test_long_line(self, runner: Runner) -> None:
        """A line over 256 KiB comes in pieces that together are the line."""
        _, log = runner.run(python("print('é' * 600_000); print('short')"))
        *pieces, short = log.messages
        assert short == "short"
        assert "".join(pieces) == "é" * 600_000
        assert all(len(piece.encode()) <= 256 * 1024 for piece in pieces)

    def test_times_of_lines(self, runner: Runner) -> None:
        """Each line has the wall time of its arrival, in milliseconds, in order."""
        before = time.time_ns() // 1_000_000
        _, log = runner.run(python("for n in range(100): print(n)"))
        times = [line.timestamp for line in log.lines]
        assert times == sorted(times)
        assert before <= times[0]
        assert times[-1] <= time.time_ns() // 1_000_000

    def test_flood_waits_for_its_reader(self, runner: Runner) -> None:
        """A program that floods its log waits while the sink is busy, and is read in small batches."""
        log, first, go_on = LogCollector(), threading.Event(), threading.Event()

        def slow(lines: object) -> None:
            first.set()
            assert go_on.wait(PATIENCE)
            log(lines)  # type: ignore[arg-type]

        code = "for n in range(200_000): print(f'{n:0100}')"
        container = runner.engine.start(runner.spec(python(code)), slow)
        assert first.wait(PATIENCE)
        # 20 MB do not fit into a pipe.
        assert container.wait(0) is None
        go_on.set()
        assert container.wait(PATIENCE) == Exit(code=0)
        assert [int(text) for text in log.messages] == list(range(200_000))
        assert max(log.batches) <= 512 * 1024

    def test_sink_that_fails(self, runner: Runner) -> None:
        """A sink that raises loses its own log, and neither the container's end nor another's log."""

        def broken(lines: object) -> None:
            raise OSError("no space left")

        container = runner.engine.start(runner.spec(python("print('a'); print('b')")), broken)
        assert container.wait(PATIENCE) == Exit(code=0)
        assert runner.run(python("print('c')"))[1].messages == ["c"]

    def test_pipe_held_open_by_grandchild(self, runner: Runner) -> None:
        """The end of a program is the end of its log, whoever else holds the other end."""
        code = (
            "import subprocess, sys; print('out', flush=True); "
            "subprocess.Popen(['sleep', '600'], start_new_session=True); print('last')"
        )
        exit, log = runner.run(python(code))
        assert (exit, log.messages) == (Exit(code=0), ["out", "last"])

    # Its descendants.

    @pytest.mark.parametrize(("code", "name"), [(GRANDCHILD, "grandchild "), (DAEMON, "daemon ")])
    def test_descendants_end_with_program(self, runner: Runner, code: str, name: str) -> None:
        """Grandchildren in sessions of their own and daemons are gone when the program's end is told."""
        container, log = runner.start(python(f"{code}\nsys.exit(4)"))
        descendant = int(log.wait_for_start(name))
        assert container.wait(PATIENCE) == Exit(code=4)
        assert state(descendant) is None

    def test_runaway_descendants(self, runner: Runner) -> None:
        """A descendant that forks on and on, each time under another number, is caught."""
        mark = f"HARNESS_TEST_MARK={runner.folder}"
        environment = dict([mark.split("=")])
        exit, _ = runner.run(python(RUNAWAY), environment=environment)
        assert exit == Exit(code=0)
        assert marked(mark) == []

    @pytest.mark.parametrize("code", [GRANDCHILD, DAEMON])
    def test_kill_ends_descendants(self, runner: Runner, code: str) -> None:
        """`kill` ends the program and its descendants, sessions of their own or not."""
        container, log = runner.start(python(f"{code}\n{SLEEPER}"))
        descendant = int(log.wait_for(lambda text: text.split()[-1].isdigit()).split()[-1])
        log.wait_for(lambda text: text == "ready")
        assert container.kill() == Exit(signal=9)
        assert state(descendant) is None
        assert state(container.pid) is None

    # Being stopped.

    def test_stop_in_good_order(self, runner: Runner) -> None:
        """`stop` sends SIGTERM; a program that leaves by itself keeps its exit code and its last words."""
        code = (
            "import signal, sys\n"
            "def leave(*_): print('saved'); sys.exit(5)\n"
            "signal.signal(signal.SIGTERM, leave)\n"
            f"{SLEEPER}"
        )
        container, log = runner.start(python(code))
        log.wait_for(lambda text: text == "ready")
        assert container.stop(PATIENCE) == Exit(code=5)
        assert log.messages == ["ready", "saved"]
        assert container.stop(PATIENCE) == Exit(code=5)
        assert container.kill() == Exit(code=5)

    def test_stop_by_force(self, runner: Runner) -> None:
        """A program that ignores SIGTERM is killed when the grace is over."""
        container, log = runner.start(python(DEAF))
        log.wait_for(lambda text: text == "ready")
        assert container.stop(0.05) == Exit(signal=9)

    def test_stop_reaches_program_only(self, runner: Runner) -> None:
        """SIGTERM goes to the program; what it started is its own affair until the grace is over."""
        code = (
            "import signal, subprocess, sys\n"
            f"child = subprocess.Popen([sys.executable, '-u', '-c', {SLEEPER!r}])\n"
            "def leave(*_): print('child', child.poll()); sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, leave)\n"
            "signal.pause()"
        )
        container, log = runner.start(python(code))
        log.wait_for(lambda text: text == "ready")
        assert container.stop(PATIENCE) == Exit(code=0)
        assert log.messages[-1] == "child None"

    def test_stop_from_several_threads(self, runner: Runner) -> None:
        """Any number of threads may stop, kill and wait at a time; all hear the same end."""
        container, log = runner.start(python(DEAF))
        log.wait_for(lambda text: text == "ready")
        heard: list[Exit | None] = []
        calls: list[Callable[[], Exit | None]] = [
            lambda: container.stop(0.05),
            lambda: container.stop(0.01),
            container.kill,
            lambda: container.wait(PATIENCE),
        ]
        threads = [threading.Thread(target=lambda c=call: heard.append(c())) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert heard == [Exit(signal=9)] * len(calls)

    def test_wait_for_what_runs(self, runner: Runner) -> None:
        """`wait` gives None for a container that still runs when the time is over."""
        container, _ = runner.start(python(SLEEPER))
        assert container.wait(0) is None
        assert container.wait(0.01) is None
        container.kill()
        assert container.wait(0) == Exit(signal=9)

    def test_callbacks(self, runner: Runner) -> None:
        """Each callback is called once, with the exit, also if it comes late or after one that fails."""
        called: list[tuple[str, Exit]] = []
        done = threading.Event()

        def broken(exit: Exit) -> None:
            raise ValueError("a mistake in a callback")

        container, log = runner.start(python(SLEEPER))
        container.add_exit_callback(broken)
        container.add_exit_callback(lambda exit: called.append(("early", exit)))
        log.wait_for(lambda text: text == "ready")
        container.kill()
        container.add_exit_callback(lambda exit: called.append(("late", exit)))
        container.add_exit_callback(lambda exit: done.set())
        assert done.wait(PATIENCE)
        assert called == [("early", Exit(signal=9)), ("late", Exit(signal=9))]

    def test_callback_may_use_engine(self, runner: Runner) -> None:
        """A callback may start the next container and stop others."""
        second: list[Container] = []
        done = threading.Event()

        def start_again(exit: Exit) -> None:
            container, log = runner.start(python(SLEEPER))
            log.wait_for(lambda text: text == "ready")
            second.append(container)
            container.kill()
            done.set()

        container, _ = runner.start(python("pass"))
        container.add_exit_callback(start_again)
        assert done.wait(PATIENCE)
        assert second[0].wait(0) == Exit(signal=9)

    # Serving.

    def test_serving_address(self, runner: Runner) -> None:
        """A serving program finds in its environment where to listen; the container tells the same address."""
        container, log = runner.start(python(SERVER), command="serve")
        log.wait_for(lambda text: text == "listening")
        assert container.address is not None
        connection = http.client.HTTPConnection(*container.address, timeout=PATIENCE)
        connection.request("GET", "/")
        assert connection.getresponse().status == 501
        connection.close()
        container.kill()

    def test_addresses_are_not_shared(self, runner: Runner) -> None:
        """Serving containers have different ports, before any of them listens."""
        containers = [runner.start(python(SLEEPER), command="serve")[0] for _ in range(5)]
        addresses = {container.address for container in containers}
        assert len(addresses) == 5
        for container in containers:
            container.kill()

    def test_port_is_given_back(self, runner: Runner) -> None:
        """The port of a container that has ended can be bound by anybody."""
        container, log = runner.start(python(SERVER), command="serve")
        log.wait_for(lambda text: text == "listening")
        container.kill()
        assert container.address is not None
        with socket.socket() as other:
            other.bind(container.address)

    def test_no_address_for_training(self, runner: Runner) -> None:
        """A training container has no address and hears of no port."""
        container, log = runner.start(
            python("import os; print('SAGEMAKER_BIND_TO_PORT' in os.environ)")
        )
        assert container.address is None
        container.wait(PATIENCE)
        assert log.messages == ["False"]

    # Programs that are no SageMaker containers.

    def test_without_the_contract(self, runner: Runner) -> None:
        """A program outside SageMaker's contract sees its environment alone, even if its command is `serve`."""
        code = "import os; print(sorted(n for n in os.environ if n.startswith('SAGEMAKER')), os.getcwd())"
        container, log = runner.start(python(code), command="serve", contract=False)
        container.wait(PATIENCE)
        assert container.address is None
        assert log.messages == [f"[] {container.spec.root}"]

    def test_splitter(self, runner: Runner) -> None:
        """A splitter of the caller's makes the lines, and is told of the end."""

        class Chunks:
            def feed(self, data: bytes) -> list[str]:
                return [text.upper() for text in data.decode().split(";")]

            def finish(self) -> list[str]:
                return ["end"]

        log = LogCollector()
        container = runner.engine.start(
            runner.spec(Program(arguments=("/bin/sh", "-c", "printf 'a;b'"))), log, Chunks()
        )
        container.wait(PATIENCE)
        assert log.messages == ["A", "B", "end"]

    # Many, and the end.

    def test_many_at_once(self, runner: Runner, crowd: int) -> None:
        """Many containers run at a time; each keeps its own log and its own exit code."""
        started = [
            runner.start(Program(arguments=("/bin/sh", "-c", f"echo {n}; read line; exit {n}")))
            for n in range(crowd)
        ]
        for number, (container, log) in enumerate(started):
            assert container.wait(PATIENCE) == Exit(code=number)
            assert log.messages == [str(number)]

    def test_start_from_many_threads(self, runner: Runner) -> None:
        """Containers may be started from many threads at a time."""
        ends: list[Exit] = []
        specs = [runner.spec(Program(MODULE, ("code", str(n)))) for n in range(16)]

        def run(spec: ContainerSpec) -> None:
            exit = runner.engine.start(spec, LogCollector()).wait(PATIENCE)
            assert exit is not None
            ends.append(exit)

        threads = [threading.Thread(target=run, args=(spec,)) for spec in specs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(exit.shell_code for exit in ends) == list(range(16))

    def test_close_ends_everything(self, make_engine: Callable[[], Engine], tmp_path: Path) -> None:
        """After `close` there is no process, thread or descriptor more than before the engine was made."""
        threads, descriptors = set(threading.enumerate()), open_descriptors()
        mark = f"HARNESS_TEST_MARK={tmp_path}"
        environment = dict([mark.split("=")])
        engine = make_engine()
        runner = Runner(engine, tmp_path)
        programs = [DEAF, f"{GRANDCHILD}\n{DEAF}", f"{DAEMON}\n{SLEEPER}", SERVER]
        started = [
            runner.start(python(code), environment=environment, command=command)
            for code, command in zip(programs, ("train", "train", "train", "serve"), strict=True)
        ]
        for container, log in started[:3]:
            log.wait_for(lambda text: text == "ready" or text.startswith(("grandchild", "daemon")))
            assert container.wait(0) is None
        engine.close()
        assert [container.wait(0) for container, _ in started] == [Exit(signal=9)] * 4
        assert marked(mark) == []
        assert set(threading.enumerate()) <= threads
        assert open_descriptors() <= descriptors
        engine.close()

    def test_close_without_use(self, make_engine: Callable[[], Engine]) -> None:
        """An engine that started nothing, or is just warming up, closes."""
        make_engine().close()
        warm = make_engine()
        warm.warm()
        warm.warm()
        warm.close()

    def test_start_after_close(self, make_engine: Callable[[], Engine], tmp_path: Path) -> None:
        """A closed engine starts nothing."""
        engine = make_engine()
        engine.close()
        with pytest.raises(RuntimeError, match="closed"):
            Runner(engine, tmp_path).start(python("pass"))

    def test_close_while_starting(self, make_engine: Callable[[], Engine], tmp_path: Path) -> None:
        """Starts that meet `close` either come first and are ended, or are refused; nothing is left."""
        mark = f"HARNESS_TEST_MARK={tmp_path}"
        environment = dict([mark.split("=")])
        engine = make_engine()
        runner = Runner(engine, tmp_path)
        specs = [runner.spec(python(SLEEPER), environment=environment) for _ in range(12)]
        ready, refused, ended = threading.Semaphore(0), [], []

        def start(mine: list[ContainerSpec]) -> None:
            for spec in mine:
                try:
                    container = engine.start(spec, LogCollector())
                except RuntimeError as error:
                    refused.append(str(error))
                else:
                    ready.release()
                    ended.append(container.wait(PATIENCE))

        threads = [threading.Thread(target=start, args=(specs[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert ready.acquire(timeout=PATIENCE)
        engine.close()
        for thread in threads:
            thread.join(PATIENCE)
        assert marked(mark) == []
        assert len(refused) + len(ended) == 12
        assert set(ended) == {Exit(signal=9)}
        assert all("closed" in text for text in refused)
