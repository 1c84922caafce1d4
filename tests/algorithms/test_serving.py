"""The HTTP front of a served model, over real connections to a real process."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.algorithms import programs
from tests.algorithms.programs import Served, answer, serving

ECHO = [sys.executable, "-m", "tests.algorithms.echo"]
LIMIT = 6291456


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One program for the requests that leave it as it was."""
    with serving(tmp_path_factory.mktemp("ml"), ECHO) as served:
        yield served


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
)
def test_ping_is_200_with_an_empty_body(echo: Served) -> None:
    """A loaded model answers GET /ping with 200 and nothing else."""
    reply = echo.ask("GET", "/ping")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
def test_execution_parameters(echo: Served) -> None:
    """GET /execution-parameters names concurrency, strategy and payload size."""
    assert echo.ask("GET", "/execution-parameters").json == {
        "MaxConcurrentTransforms": os.cpu_count(),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


def test_an_answer_has_the_predictors_body_and_content_type(echo: Served) -> None:
    """What the predictor returns is what goes over the wire."""
    reply = echo.invoke(b"hello", "text/plain")
    assert (reply.status, reply.body) == (200, b"HELLO")
    assert reply.headers["content-type"] == "text/x-echo"
    assert reply.headers["content-length"] == "5"


def test_the_predictor_sees_the_headers(echo: Served) -> None:
    """Content-Type, Accept and other headers reach the predictor; absent ones are None."""
    told = echo.ask("POST", "/invocations", b"about", X_Mine="1")
    assert told.body == b"None|None|1"
    told = echo.ask("POST", "/invocations", b"about", X_Mine="2", Content_Type="a", Accept="b, c")
    assert told.body == b"a|b, c|2"


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
def test_an_empty_body_is_204(echo: Served) -> None:
    """Nothing in, nothing out."""
    reply = echo.ask("POST", "/invocations", b"")
    assert (reply.status, reply.body) == (204, b"")


def test_a_refusal_is_its_status_and_text(echo: Served) -> None:
    """A predictor that refuses decides on status and text."""
    reply = echo.invoke(b"refuse", "text/plain")
    assert (reply.status, reply.body) == (415, b"not like this")


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
def test_a_mistake_of_ours_is_500_without_details(tmp_path: Path) -> None:
    """An exception is Internal Server Error for the caller and a traceback for the log."""
    with serving(tmp_path, ECHO) as served:
        reply = served.invoke(b"break", "text/plain")
        assert (reply.status, reply.body) == (500, b"Internal Server Error")
        assert served.ask("GET", "/ping").status == 200
        _, _, errors = served.end()
    assert "ZeroDivisionError" in errors


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/invocations", 405),
        ("GET", "/invocations", 405),
        ("HEAD", "/invocations", 405),
        ("POST", "/ping", 405),
        ("DELETE", "/execution-parameters", 405),
        ("GET", "/", 404),
        ("POST", "/models", 404),
    ],
)
def test_other_methods_and_paths_are_client_errors(
    echo: Served, method: str, path: str, status: int
) -> None:
    """What is not offered is 404, or 405 with the methods that are."""
    reply = echo.ask(method, path)
    assert reply.status == status
    assert ("allow" in reply.headers) == (status == 405)


def test_head_is_get_without_a_body(echo: Served) -> None:
    """HEAD works where GET does."""
    reply = echo.ask("HEAD", "/execution-parameters")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


@pytest.mark.documented("notes/first-party-algorithms.md#inference")
def test_a_body_over_the_limit_is_413(echo: Served) -> None:
    """A body of the limit passes, one byte more does not, and the server goes on."""
    assert echo.invoke(b"a" * LIMIT, "text/plain").status == 200
    assert echo.invoke(b"a" * (LIMIT + 1), "text/plain").status == 413
    assert echo.ask("GET", "/ping").status == 200


def test_a_chunked_body_over_the_limit_is_413(tmp_path: Path) -> None:
    """A body that does not announce its length is counted; MAX_CONTENT_LENGTH sets the limit."""
    with serving(tmp_path, ECHO, {"MAX_CONTENT_LENGTH": "100"}) as served:
        connection = served.connect()
        connection.request("POST", "/invocations", iter([b"a" * 60, b"b" * 60]))
        assert answer(connection).status == 413
        connection.request("POST", "/invocations", iter([b"a" * 50, b"b" * 50]))
        assert answer(connection).body == b"A" * 50 + b"B" * 50
        connection.close()


def test_a_body_that_never_ends_is_413(echo: Served) -> None:
    """What is over the limit is refused at once, not gathered first."""
    with socket.create_connection(("127.0.0.1", echo.port), timeout=60) as raw:
        raw.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
        for _ in range(LIMIT // 0x100000 + 1):
            raw.sendall(chunk)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_requests_share_a_connection(echo: Served) -> None:
    """A connection is kept for the next request."""
    connection = echo.connect()
    for number in range(5):
        connection.request("POST", "/invocations", str(number).encode())
        assert answer(connection).body == str(number).encode()
    connection.close()


def test_requests_are_answered_at_the_same_time(tmp_path: Path) -> None:
    """A slow prediction does not hold up a ping."""
    os.mkfifo(tmp_path / "gate")
    with serving(tmp_path, ECHO) as served:
        slow = served.connect()
        slow.request("POST", "/invocations", b"wait")
        assert served.process.stdout is not None
        assert served.process.stdout.readline() == "waiting\n"
        assert served.ask("GET", "/ping").status == 200
        (tmp_path / "gate").write_bytes(b"go")
        assert answer(slow).body == b"WAIT"
        slow.close()


def test_garbage_is_400_and_the_server_goes_on(echo: Served) -> None:
    """Bytes that are no HTTP are answered with 400."""
    with socket.create_connection(("127.0.0.1", echo.port), timeout=60) as raw:
        raw.sendall(b"\x00\x01garbage\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert echo.ask("GET", "/ping").status == 200


def test_a_client_that_leaves_is_forgotten(tmp_path: Path) -> None:
    """A client that hangs up in the middle of its body leaves no trace in the log."""
    with serving(tmp_path, ECHO) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as raw:
            raw.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert served.invoke(b"next", "text/plain").body == b"NEXT"
        code, _, errors = served.end()
    assert (code, errors) == (0, "")


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
)
def test_sigterm_lets_requests_finish(tmp_path: Path) -> None:
    """A request under way when SIGTERM comes is answered; then the program exits with 0."""
    os.mkfifo(tmp_path / "gate")
    with serving(tmp_path, ECHO) as served:
        slow, idle = served.connect(), served.connect()
        idle.request("GET", "/ping")
        assert answer(idle).status == 200
        slow.request("POST", "/invocations", b"wait")
        assert served.process.stdout is not None
        assert served.process.stdout.readline() == "waiting\n"
        ended: list[tuple[int, str, str]] = []
        ending = threading.Thread(target=lambda: ended.append(served.end()))
        ending.start()
        # The idle connection is closed at once, the one that waits is not.
        assert idle.sock.recv(1) == b""
        (tmp_path / "gate").write_bytes(b"go")
        assert answer(slow).body == b"WAIT"
        ending.join()
        slow.close()
        idle.close()
    assert ended == [(0, "", "")]


@pytest.mark.assumed("notes/first-party-algorithms.md#inference")
def test_a_model_that_cannot_be_loaded_is_500_everywhere(tmp_path: Path) -> None:
    """Without a model /ping and /invocations are 500, so that the endpoint fails its health check."""
    (tmp_path / "broken").touch()
    with serving(tmp_path, ECHO) as served:
        ping, invocation = served.ask("GET", "/ping"), served.invoke(b"x", "text/plain")
        code, _, errors = served.end()
    assert (ping.status, ping.body) == (500, b"unable to load model")
    assert (invocation.status, invocation.body) == (500, b"unable to load model")
    assert code == 0
    assert "RuntimeError: broken" in errors


@pytest.mark.parametrize("name", ["SAGEMAKER_BIND_TO_PORT", "MAX_CONTENT_LENGTH"])
def test_a_setting_that_is_no_number_is_one_line(tmp_path: Path, name: str) -> None:
    """A wrong setting ends the program with exit code 1 and a line that names it."""
    with pytest.raises(AssertionError, match=name), serving(tmp_path, ECHO, {name: "many"}):
        raise NotImplementedError("it must not listen")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """A port on which somebody listens ends the program with exit code 1 and a line that says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        argv = [sys.executable, "-m", "tests.algorithms.echo"]
        extra = {"SAGEMAKER_BIND_TO_PORT": port, "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
        done = subprocess.run(
            argv, env=programs.environment(tmp_path, extra), capture_output=True, text=True
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot listen on port {port}: ")
    assert done.stderr.count("\n") == 1


def test_the_reply_is_json_where_it_says_so(echo: Served) -> None:
    """The execution parameters are JSON by content type and by body."""
    reply = echo.ask("GET", "/execution-parameters")
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body)["MaxPayloadInMB"] == LIMIT // 1024**2
