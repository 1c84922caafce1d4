"""The runtime client in Python, which stands in where awslambdaric has no extension module."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cloud.clock import ManualClock
from harness.cloud.functions import runtime_folder
from harness.cloud.functions.limits import Settings
from harness.cloud.functions.var_runtime import runtime_client
from tests.cloud.functions.conftest import Bell, Lambdas

NOTE = "notes/functions.md#the-runtime-client"


@pytest.fixture(scope="module")
def function_settings() -> Settings:
    """Functions are run by the client in Python, on every system."""
    return Settings(native_client=False)


def test_it_is_in_use(lambdas: Lambdas, obedient: str) -> None:
    """The function's process has loaded it."""
    file = lambdas.do(obedient, "import", "runtime_client").json
    assert file.endswith("/runtime_client.py")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@pytest.mark.sdk_source(NOTE)
def test_answers(lambdas: Lambdas, obedient: str, text: str) -> None:
    """Events and answers of any text pass."""
    assert lambdas.invoke(obedient, {"text": text}).json == {"text": text}


@pytest.mark.sdk_source(NOTE)
def test_what_an_event_brings(lambdas: Lambdas, obedient: str) -> None:
    """The context has its request, the time that is left as a number, and no client context where there is none."""
    result = lambdas.do(obedient, "context")
    context = result.json
    assert context["aws_request_id"] == result.request_id
    assert 0 < context["remaining"] <= 30_000
    assert context["client_context"] is None


@pytest.mark.sdk_source(NOTE)
def test_failures(lambdas: Lambdas, clock: ManualClock, bell: Bell) -> None:
    """Exceptions, exits, timeouts and answers that are too large are what they are with the extension module."""
    name = lambdas.create(Timeout=1)
    answer = lambdas.do(name, "raise", "a message").json
    assert (answer["errorType"], answer["errorMessage"]) == ("CustomException", "a message")
    assert "exit status 3" in lambdas.do(name, "exit", 3).json["errorMessage"]
    pending = lambdas.begin(name, bell.order())
    call = bell.wait()
    clock.advance(1)
    assert pending.result().json["errorType"] == "Sandbox.Timedout"
    call.answer()
    too_large = lambdas.do(name, "bytes", 7_000_000).json
    assert too_large["errorType"] == "Function.ResponseSizeTooLarge"
    assert lambdas.do(name, "count").error is None


@pytest.mark.sdk_source(NOTE)
def test_a_function_that_cannot_be_loaded(lambdas: Lambdas) -> None:
    """The error of the initialization comes through."""
    name = lambdas.create("", Handler="handler.nobody")
    assert lambdas.invoke(name, {}).json["errorType"] == "Runtime.HandlerNotFound"


class Refusing(BaseHTTPRequestHandler):
    """A Runtime API that refuses everything."""

    def do_POST(self) -> None:
        """No."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """No."""
        self.do_POST()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """The client talks to a Runtime API that refuses everything."""
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", f"127.0.0.1:{server.server_port}")
    monkeypatch.setattr(runtime_client, "_connection", None)
    runtime_client.initialize_client("aws-lambda-python/test")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.sdk_source(NOTE)
def test_refusals(refusing: HTTPServer) -> None:
    """A refusal is the RuntimeError that awslambdaric expects, in the words of its own client."""
    with pytest.raises(RuntimeError, match="Failed to get next"):
        runtime_client.next()
    with pytest.raises(RuntimeError, match="Failed to post invocation response"):
        runtime_client.post_invocation_result("id", b"1", "application/json", None)
    with pytest.raises(RuntimeError, match="Failed to post invocation error"):
        runtime_client.post_error("id", json.dumps({}), "", None)


@pytest.mark.sdk_source(NOTE)
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Runtime API that is gone is a RuntimeError, too."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
    monkeypatch.setattr(runtime_client, "_connection", None)
    with pytest.raises(RuntimeError, match="does not answer"):
        runtime_client.next()


@pytest.mark.parametrize("native", [True, False])
def test_the_runtime_folder(tmp_path: Path, native: bool) -> None:
    """The folder holds the runtime client, the SDK and what they need, and one `runtime_client`."""
    bootstrap = runtime_folder.build(tmp_path / "runtime", native_client=native)
    names = {path.name.partition(".")[0] for path in bootstrap.parent.iterdir()}
    wanted = {"awslambdaric", "boto3", "botocore", "bootstrap", "urllib3", "s3transfer", "six"}
    assert wanted <= names
    assert not {"moto", "numpy", "pip", "pytest"} & names
    (client,) = bootstrap.parent.glob("runtime_client*")
    assert (client.suffix == ".so") == (native and sys.platform == "linux")


def test_it_has_the_functions_of_the_extension_module() -> None:
    """Whatever awslambdaric calls is there."""
    extension: Any = pytest.importorskip("runtime_client")
    names = {name for name in dir(extension) if not name.startswith("_")}
    assert names <= set(dir(runtime_client))
