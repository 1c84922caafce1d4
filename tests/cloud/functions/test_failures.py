"""What a caller sees, and what the log says, of a function that does not come to a good end."""

import re
import signal
import stat
import sys
from typing import Any

import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.functions.payloads import exited
from harness.containers.spec import Exit
from tests.cloud.functions.conftest import OBEDIENT, Bell, Lambdas, Result
from tests.containers.test_zip_archives import entry, link
from tests.containers.test_zip_archives import zipped as archive

NOTE = "notes/functions.md"


def failure(result: Result) -> tuple[str, str]:
    """The type and the message of an error; its caller sees 200 and `Unhandled`."""
    assert (result.status, result.error) == (200, "Unhandled")
    assert set(result.json) == {"errorType", "errorMessage"}
    return result.json["errorType"], result.json["errorMessage"].replace(result.request_id, "<id>")


def report(result: Result) -> str:
    """The last line of its log, without numbers."""
    return re.sub(r"[\d.]+ (ms|MB)", r"N \1", result.log[-1].replace(result.request_id, "<id>"))


@pytest.mark.recorded(f"{NOTE}#failures")
def test_an_exception(lambdas: Lambdas, obedient: str) -> None:
    """An exception of the handler is told with its type, its text, the request and where it was raised."""
    result = lambdas.do(obedient, "raise", "some_error_msg", LogType="Tail")
    assert (result.status, result.error, result.version) == (200, "Unhandled", "$LATEST")
    *_, place = result.json["stackTrace"]
    assert {**result.json, "stackTrace": ...} == {
        "errorMessage": "some_error_msg",
        "errorType": "CustomException",
        "requestId": result.request_id,
        "stackTrace": ...,
    }
    assert re.fullmatch(
        r'  File ".*/handler.py", line \d+, in do_raise\n    raise CustomException\(message\)\n',
        place,
    )
    assert "[ERROR] CustomException: some_error_msg\n" in result.log
    assert report(result) == (
        "REPORT RequestId: <id>\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\t"
        "Max Memory Used: N MB\t"
        + ("Init Duration: N ms\t" if "Init" in result.log[-1] else "")
        + "\n"
    )


@pytest.mark.recorded(f"{NOTE}#failures")
def test_an_exception_of_the_handler_itself(lambdas: Lambdas) -> None:
    """The trace begins in the function's own code."""
    name = lambdas.create('def handler(event, context):\n    raise Exception("Handler fails")\n')
    result = lambdas.invoke(name, {})
    (place,) = result.json["stackTrace"]
    assert place.endswith(
        '/handler.py", line 2, in handler\n    raise Exception("Handler fails")\n'
    )


@pytest.mark.documented(f"{NOTE}#failures")
def test_an_answer_that_is_no_json(lambdas: Lambdas, obedient: str) -> None:
    """What cannot be JSON is Runtime.MarshalError."""
    answer = lambdas.do(obedient, "return", "set").json
    assert answer["errorType"] == "Runtime.MarshalError"
    assert answer["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


@pytest.mark.documented(f"{NOTE}#answers")
@pytest.mark.parametrize(
    ("what", "payload"),
    [("decimal", b"1.5"), ("nan", b"NaN"), ("raw", b'{"raw": true}'), ("umlaut", b'"\\u00fc"')],
)
def test_answers_that_json_hardly_knows(
    lambdas: Lambdas, obedient: str, what: str, payload: bytes
) -> None:
    """Decimals are numbers, NaN goes through, bytes are the payload, python3.11 escapes what is not ASCII."""
    assert lambdas.do(obedient, "return", what).payload == payload


@pytest.mark.recorded(f"{NOTE}#failures")
def test_a_timeout(lambdas: Lambdas, clock: ManualClock, bell: Bell) -> None:
    """A function that does not answer in time is ended; its caller hears after how long."""
    name = lambdas.create(Timeout=1)
    pending = lambdas.begin(name, bell.order(), LogType="Tail")
    call = bell.wait()
    clock.advance(1)
    result = pending.result()
    assert failure(result) == (
        "Sandbox.Timedout",
        "RequestId: <id> Error: Task timed out after 1.00 seconds",
    )
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT[\d:.]+Z {result.request_id} Task timed out after 1.00 seconds\n",
        result.log[1],
    )
    assert report(result).endswith("\tStatus: timeout\t\n")
    assert "Duration: 1000.00 ms" in result.log[-1]
    call.answer()


@pytest.mark.recorded(f"{NOTE}#failures")
def test_in_time(lambdas: Lambdas, clock: ManualClock, bell: Bell) -> None:
    """A function that answers before its time is over is not disturbed, nor is the next invocation."""
    name = lambdas.create(Timeout=2)
    for _ in range(3):
        pending = lambdas.begin(name, bell.order())
        call = bell.wait()
        clock.advance(1.5)
        call.answer({"do": "print", "with": []})
        assert pending.result().payload == b"null"


@pytest.mark.recorded(f"{NOTE}#failures")
def test_the_place_outlives_a_timeout(lambdas: Lambdas, clock: ManualClock, bell: Bell) -> None:
    """After a timeout the process is a new one; its temporary folder and its log stream are the same."""
    name = lambdas.create(Timeout=1)
    lambdas.do(name, "touch", "file")
    assert lambdas.do(name, "count").json == 2
    pending = lambdas.begin(name, bell.order())
    call = bell.wait()
    clock.advance(1)
    assert pending.result().error == "Unhandled"
    assert lambdas.do(name, "read", "file").json == "some-content"
    assert lambdas.do(name, "count").json == 2
    streams = lambdas.logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert len(streams) == 1
    call.answer()


def ended(lambdas: Lambdas, name: str, how: str, argument: Any, reason: str) -> None:
    """Have the function end its process; what is told of it, and that the next invocation has a new one."""
    result = lambdas.do(name, how, argument, LogType="Tail")
    assert failure(result) == ("Runtime.ExitError", f"RequestId: <id> Error: {reason}")
    assert f"RequestId: {result.request_id} Error: {reason}\n" in result.log
    assert report(result).endswith("\tStatus: error\tError Type: Runtime.ExitError\t\n")
    assert lambdas.do(name, "count").json == 1


@pytest.mark.recorded(f"{NOTE}#failures")
@pytest.mark.parametrize(("how", "argument"), [("exit", 0), ("exit", None), ("leave", 0)])
def test_a_process_that_leaves(lambdas: Lambdas, obedient: str, how: str, argument: Any) -> None:
    """A function that leaves in good order gives no reason, and no answer."""
    ended(lambdas, obedient, how, argument, "Runtime exited without providing a reason")


@pytest.mark.documented(f"{NOTE}#failures")
@pytest.mark.parametrize(
    ("how", "argument", "reason"),
    [
        ("exit", 3, "exit status 3"),
        ("leave", 77, "exit status 77"),
        ("exit", "a text", "exit status 1"),
        ("signal", signal.SIGKILL, "signal: killed"),
        ("signal", signal.SIGTERM, "signal: terminated"),
        ("crash", None, "signal: segmentation fault"),
    ],
)
def test_a_process_that_breaks_off(
    lambdas: Lambdas, obedient: str, how: str, argument: Any, reason: str
) -> None:
    """A function that ends with an error is told by its exit code or signal, at once."""
    ended(lambdas, obedient, how, argument, f"Runtime exited with error: {reason}")


def test_signals_without_a_name() -> None:
    """A signal that has no name of its own is told by its number."""
    assert exited("i", Exit(signal=40)).message.endswith("signal: signal 40")


INIT_FAULTS = {
    "handler.nobody": (
        "",
        "Runtime.HandlerNotFound",
        "Handler 'nobody' missing on module 'handler'",
    ),
    "nowhere.handler": (
        "",
        "Runtime.ImportModuleError",
        "Unable to import module 'nowhere': No module named 'nowhere'",
    ),
    "handler.handler": (
        "import no_such_package",
        "Runtime.ImportModuleError",
        "Unable to import module 'handler': No module named 'no_such_package'",
    ),
    "handler": (
        "",
        "Runtime.MalformedHandlerName",
        "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
    ),
    "sys.handler": (
        "",
        "Runtime.BuiltInModuleConflict",
        "Cannot use built-in module sys as a handler module",
    ),
}


@pytest.mark.documented(f"{NOTE}#failures")
@pytest.mark.parametrize("handler", INIT_FAULTS)
def test_a_function_that_cannot_be_loaded(lambdas: Lambdas, handler: str) -> None:
    """What is wrong with a handler's name or module is told by AWS's runtime client."""
    source, kind, message = INIT_FAULTS[handler]
    name = lambdas.create(source, Handler=handler)
    result = lambdas.invoke(name, {}, LogType="Tail")
    assert (result.status, result.error) == (200, "Unhandled")
    assert result.json == {
        "errorMessage": message,
        "errorType": kind,
        "requestId": "",
        "stackTrace": [],
    }
    assert report(result).endswith(f"\tStatus: error\tError Type: {kind}\t\n")
    log = lambdas.messages(name)
    assert any(line.startswith(f"[ERROR] {kind}: {message}") for line in log)
    assert any(re.fullmatch(rf"INIT_REPORT .*\tError Type: {kind}\n", line) for line in log)


@pytest.mark.documented(f"{NOTE}#failures")
def test_a_syntax_error(lambdas: Lambdas) -> None:
    """A module that does not compile is shown with its line."""
    answer = lambdas.invoke(lambdas.create("def handler(event, context:\n"), {}).json
    assert answer["errorType"] == "Runtime.UserCodeSyntaxError"
    assert answer["errorMessage"] == (
        "Syntax error in module 'handler': '(' was never closed (handler.py, line 1)"
    )
    assert re.fullmatch(
        r'  File ".*/handler.py" Line 1\n    def handler\(event, context:\n', *answer["stackTrace"]
    )


@pytest.mark.recorded(f"{NOTE}#failures")
def test_an_exception_while_it_is_loaded(lambdas: Lambdas) -> None:
    """A module that raises is told with the way of its import, and with an empty request id, each time anew."""
    name = lambdas.create('raise Exception("Runtime startup fails")\n')
    for _ in range(2):
        result = lambdas.invoke(name, {})
        assert (result.status, result.error) == (200, "Unhandled")
        answer = result.json
        first, *_, last = answer.pop("stackTrace")
        assert answer == {
            "errorMessage": "Runtime startup fails",
            "errorType": "Exception",
            "requestId": "",
        }
        assert "/importlib/__init__.py" in first
        assert last.endswith(
            '/handler.py", line 1, in <module>\n    raise Exception("Runtime startup fails")\n'
        )


@pytest.mark.recorded(f"{NOTE}#failures")
def test_a_process_that_ends_while_it_is_loaded(lambdas: Lambdas) -> None:
    """A module that leaves is Runtime.ExitError."""
    result = lambdas.invoke(lambdas.create("import sys; sys.exit(0)"), {})
    assert failure(result) == (
        "Runtime.ExitError",
        "RequestId: <id> Error: Runtime exited without providing a reason",
    )


@pytest.mark.documented(f"{NOTE}#failures")
def test_a_function_that_loads_for_ever(lambdas: Lambdas, clock: ManualClock, bell: Bell) -> None:
    """Loading has ten seconds and the function's timeout; then it is a timeout, too."""
    source = f"{OBEDIENT}\nclass Now: aws_request_id = ''\nhandler({bell.order()!r}, Now)\n"
    pending = lambdas.begin(lambdas.create(source, Timeout=2), {})
    call = bell.wait()
    clock.advance(11.9)
    assert not pending.done()
    clock.advance(0.1)
    assert failure(pending.result()) == (
        "Sandbox.Timedout",
        "RequestId: <id> Error: Task timed out after 2.00 seconds",
    )
    call.answer()


WRAPPER = '#!/bin/sh\nexport WRAPPER_VAR=test_var_$(basename $0)\nexec "$@"\n'


@pytest.mark.recorded(f"{NOTE}#failures")
def test_wrappers(lambdas: Lambdas) -> None:
    """AWS_LAMBDA_EXEC_WRAPPER runs in front of the runtime, from the package; one that is not there is status 127."""
    package = archive(
        entry("handler.py", OBEDIENT.encode()),
        entry("environment_wrapper", WRAPPER.encode(), stat.S_IFREG | 0o755),
    )
    for where, expected in [
        ("environment_wrapper", "test_var_environment_wrapper"),
        ("nowhere", None),
    ]:
        name = lambdas.create(
            Code={"ZipFile": package},
            Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": f"/var/task/{where}"}},
        )
        result = lambdas.do(name, "environment")
        if expected is not None:
            assert result.json["WRAPPER_VAR"] == expected
        else:
            assert failure(result) == (
                "Runtime.ExitError",
                "RequestId: <id> Error: Runtime exited with error: exit status 127",
            )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere less is known of memory")
@pytest.mark.documented(f"{NOTE}#failures")
@pytest.mark.parametrize("how", ["eat", "bite"])
def test_too_much_memory(lambdas: Lambdas, obedient: str, how: str) -> None:
    """A function that takes more memory than it has is killed, also if it has given it back by the end."""
    result = lambdas.do(obedient, how, 160, LogType="Tail")
    assert failure(result) == (
        "Runtime.ExitError",
        "RequestId: <id> Error: Runtime exited with error: signal: killed",
    )
    assert "Max Memory Used: 128 MB" in result.log[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere less is known of memory")
@pytest.mark.documented(f"{NOTE}#failures")
def test_too_much_memory_while_it_is_loaded(lambdas: Lambdas) -> None:
    """A module that takes more memory than the function has is killed, each time that it is loaded."""
    source = "import os\nkept = [bytearray(os.urandom(1024) * 1024) for _ in range(160)]\n"
    name = lambdas.create(source + "def handler(event, context): return len(kept)\n")
    for _ in range(2):
        assert failure(lambdas.invoke(name, {})) == (
            "Runtime.ExitError",
            "RequestId: <id> Error: Runtime exited with error: signal: killed",
        )


def test_a_process_that_ends_as_soon_as_it_is_loaded(lambdas: Lambdas) -> None:
    """A process that never gets to an event is not started for ever: its caller hears of its end."""
    name = lambdas.create(
        """import os, threading
threading.Timer(0.01, os._exit, (5,)).start()
def handler(event, context): threading.Event().wait()
"""
    )
    for _ in range(2):
        assert failure(lambdas.invoke(name, {})) == (
            "Runtime.ExitError",
            "RequestId: <id> Error: Runtime exited with error: exit status 5",
        )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere less is known of memory")
def test_memory_that_it_has(lambdas: Lambdas) -> None:
    """With more memory the same function comes to its end, and reports how much it used."""
    name = lambdas.create(MemorySize=512)
    result = lambdas.do(name, "bite", 160, LogType="Tail")
    assert result.json == 160
    used = re.search(r"Memory Size: 512 MB\tMax Memory Used: (\d+) MB", result.log[-1])
    assert used is not None
    assert 160 < int(used[1]) < 300


@pytest.mark.documented("lambda:InvalidZipFileException")
@pytest.mark.parametrize(
    ("package", "why"),
    [
        (b"no zip at all", "not a whole zip archive"),
        (archive(entry("../handler.py", b"x")), "would land outside"),
        (archive(entry("/etc/handler.py", b"x")), "would land outside"),
        (archive(entry("handler.py", b"x"), link("secrets", "/etc")), "leads to '/etc'"),
    ],
)
def test_packages_that_mean_no_good(lambdas: Lambdas, package: bytes, why: str) -> None:
    """A package that is no zip or leads outside is refused when the function is invoked."""
    error = lambdas.refusal(lambdas.create(Code={"ZipFile": package}))
    assert error["Error"]["Code"] == "InvalidZipFileException"
    assert why in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 502
