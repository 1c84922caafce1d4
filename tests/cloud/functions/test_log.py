"""What stands in a function's log, in which order, and the tail that its caller gets."""

import re

import pytest

from tests.cloud.functions.conftest import Bell, Lambdas
from tests.cloud.functions.generic_log import END, FIRST, INIT, LATER, START, generic

NOTE = "notes/functions.md"
NUMBER = r"\d+\.\d\d"
REPORT = (
    rf"REPORT RequestId: (?P<id>[0-9a-f-]{{36}})\tDuration: {NUMBER} ms\tBilled Duration: \d+ ms\t"
    rf"Memory Size: 128 MB\tMax Memory Used: \d+ MB\t(Init Duration: {NUMBER} ms\t)?\n"
)


@pytest.mark.recorded(f"{NOTE}#log")
def test_lines(lambdas: Lambdas) -> None:
    """Each printed line is an event of its own, a carriage return is no end of one."""
    name = lambdas.create()
    lambdas.do(name, "print", ["multi\nline\nstring\nanother\rline"])
    assert generic(lambdas.messages(name)) == [
        INIT,
        START,
        "multi\n",
        "line\n",
        "string\n",
        "another\rline\n",
        END,
        FIRST,
    ]


@pytest.mark.recorded(f"{NOTE}#log")
def test_tail(lambdas: Lambdas) -> None:
    """LogType Tail brings the invocation's own log; without it there is none."""
    name = lambdas.create("def handler(event, context):\n    print(event)\n    return event")
    first = lambdas.invoke(name, {}, LogType="Tail")
    assert generic(first.log) == [START, "{}\n", END, FIRST]
    assert re.fullmatch(REPORT, first.log[-1])["id"] == first.request_id  # type: ignore[index]
    assert generic(lambdas.invoke(name, {}, LogType="Tail").log) == [START, "{}\n", END, LATER]
    assert lambdas.invoke(name, {}).log == []
    assert lambdas.invoke(name, {}, LogType="None").log == []


@pytest.mark.documented("lambda:InvocationResponse.LogResult")
def test_long_tail(lambdas: Lambdas, obedient: str) -> None:
    """The tail is the last four kilobytes, and ends with the report."""
    result = lambdas.do(obedient, "flood", 20_000, LogType="Tail")
    assert len("".join(result.log)) == 4096
    assert result.log[-3:-1] == ["19999\n", f"END RequestId: {result.request_id}\n"]
    assert re.fullmatch(REPORT, result.log[-1])


@pytest.mark.recorded(f"{NOTE}#log")
def test_text_without_a_newline(lambdas: Lambdas) -> None:
    """What was printed without a newline belongs to the invocation that printed it."""
    name = lambdas.create()
    lambdas.do(name, "write", "first")
    lambdas.do(name, "write", "second")
    log = lambdas.messages(name)
    assert [log.index("first"), log.index("second")] == [2, 6]


@pytest.mark.recorded(f"{NOTE}#log")
def test_what_a_module_prints_when_it_is_loaded(lambdas: Lambdas) -> None:
    """Output of the initialization stands before the first invocation's START, and not in its tail."""
    name = lambdas.create("print('loading')\ndef handler(event, context): print('working')\n")
    result = lambdas.invoke(name, {}, LogType="Tail")
    assert generic(result.log) == [START, "working\n", END, FIRST]
    assert generic(lambdas.messages(name)) == [INIT, "loading\n", START, "working\n", END, FIRST]


@pytest.mark.documented(f"{NOTE}#log")
def test_json_logging(lambdas: Lambdas, obedient: str) -> None:
    """AWS's runtime client writes JSON where the function's variables say so."""
    name = lambdas.create(
        Environment={"Variables": {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}}
    )
    result = lambdas.do(name, "log", "a message", LogType="Tail")
    assert (
        f'"message": "a message", "logger": "root", "requestId": "{result.request_id}"'
        in (result.log[2])
    )


def test_streams(lambdas: Lambdas, bell: Bell) -> None:
    """Each environment has a stream of its own, named by the day and the version."""
    name = lambdas.create(Publish=True)
    pending = [lambdas.begin(name, bell.order()) for _ in range(2)]
    for call in [bell.wait() for _ in pending]:
        call.answer()
    for future in pending:
        future.result()
    lambdas.invoke(name, {}, Qualifier="1")
    streams = lambdas.logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    versions = [
        re.sub(r"\d{4}/\d\d/\d\d/\[(.*)\][0-9a-f]{32}", r"\1", s["logStreamName"]) for s in streams
    ]
    assert sorted(versions) == ["$LATEST", "$LATEST", "1"]
