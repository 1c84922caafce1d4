"""Execution environments: what a process sees, when it is used again, when it ends, and that it harms nobody."""

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.backing.moto_identities import MotoIdentities
from harness.cloud.clock import ManualClock
from harness.cloud.functions.limits import Limits, Settings
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.conftest import ACCOUNT, REGION
from tests.cloud.functions.clockwork import Clockwork
from tests.cloud.functions.conftest import OBEDIENT, RUNTIME, Bell, Client, Lambdas
from tests.containers.processes import wait_until_gone

NOTE = "notes/functions.md"
LIMITS = replace(Limits.current(), idle_environments=4, concurrency=5, unzipped_bytes=1_000_000)


@pytest.fixture(scope="module")
def function_settings() -> Settings:
    """Few environments stay warm, few invocations run at a time, packages are small."""
    return Settings(LIMITS)


@pytest.fixture(scope="module")
def clock() -> Clockwork:
    """The clock of the module's cloud."""
    return Clockwork()


@pytest.fixture
def folders(cloud: LocalCloud) -> "Folders":
    """What functions have on the disk."""
    return Folders(cloud)


class Folders:
    """The folders of a cloud's functions."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._root = cloud.functions.folder

    def environments(self) -> set[Path]:
        """One for each execution environment."""
        return set((self._root / "environments").iterdir())

    def code(self) -> set[Path]:
        """One for each package and each set of layers."""
        return set((self._root / "code").iterdir())


@pytest.mark.recorded(f"{NOTE}#execution-environments")
def test_reuse(lambdas: Lambdas) -> None:
    """The second invocation finds what the first one left in memory."""
    name = lambdas.create(
        "n = -1\ndef handler(event, context):\n    global n\n    n += 1\n    return {'counter': n}"
    )
    assert [lambdas.invoke(name).json for _ in range(2)] == [{"counter": 0}, {"counter": 1}]


@pytest.mark.documented(f"{NOTE}#execution-environments")
def test_one_invocation_at_a_time(lambdas: Lambdas, obedient: str, bell: Bell) -> None:
    """Invocations at the same time have processes of their own; afterwards each is there for the next."""
    pending = [lambdas.begin(obedient, bell.order()) for _ in range(3)]
    for call in [bell.wait() for _ in range(3)]:
        call.answer({"do": "pid"})
    pids = {future.result().json for future in pending}
    assert len(pids) == 3
    assert lambdas.do(obedient, "pid").json in pids


@pytest.mark.recorded(f"{NOTE}#environment-variables")
def test_environment_variables(lambdas: Lambdas, cloud: LocalCloud) -> None:
    """The platform's variables are AWS's, with this machine's folders; the function's own are among them."""
    name = lambdas.create(MemorySize=1024, Environment={"Variables": {"TEST_KEY": "TEST_VAL"}})
    seen = lambdas.do(name, "environment").json
    task, runtime = Path(seen["LAMBDA_TASK_ROOT"]), Path(seen["LAMBDA_RUNTIME_DIR"])
    assert (task / "handler.py").read_text() == OBEDIENT
    assert (runtime / "bootstrap.py").is_file()
    keys = [
        seen.pop(f"AWS_{key}") for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
    ]
    assert re.fullmatch(r"ASIA[A-Z0-9]{16}", keys[0])
    assert re.fullmatch(
        r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    )
    assert re.fullmatch(r"127\.0\.0\.1:\d+", seen.pop("AWS_LAMBDA_RUNTIME_API"))
    assert re.fullmatch(
        r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0",
        seen.pop("_X_AMZN_TRACE_ID"),
    )
    assert seen.pop("PATH").endswith("/bin")
    assert str(task / "lib") in seen.pop("LD_LIBRARY_PATH").split(":")
    # Not on AWS: where the cloud is, and folders in place of /tmp and of nobody's home.
    assert seen.pop("AWS_ENDPOINT_URL") == cloud.url
    assert Path(seen.pop("TMPDIR")).parent == Path(seen.pop("HOME"))
    seen.pop("LC_CTYPE", None)  # Python's own, where there is no locale
    assert seen == {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_REGION": REGION,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LAMBDA_TASK_ROOT": str(task),
        "LANG": "en_US.UTF-8",
        "PWD": str(task),
        "PYTHONPATH": str(runtime),
        "SHLVL": "0",
        "TEST_KEY": "TEST_VAL",
        "TZ": ":UTC",
        "_HANDLER": "handler.handler",
    }


@pytest.mark.assumed(f"{NOTE}#environment-variables")
def test_variables_of_the_platform_win(lambdas: Lambdas) -> None:
    """A function may set its time zone, but not what it is called or whose credentials it has."""
    own = {"TZ": "Europe/Berlin", "AWS_LAMBDA_FUNCTION_NAME": "x", "AWS_ACCESS_KEY_ID": "x"}
    name = lambdas.create(Environment={"Variables": own})
    seen = lambdas.do(name, "environment").json
    assert (seen["TZ"], seen["AWS_LAMBDA_FUNCTION_NAME"]) == ("Europe/Berlin", name)
    assert seen["AWS_ACCESS_KEY_ID"] != "x"


@pytest.mark.documented("https://docs.aws.amazon.com/lambda/latest/dg/python-package.html")
def test_search_path(lambdas: Lambdas, obedient: str) -> None:
    """Modules come from the package, from layers and from the runtime, in this order; nothing else is there."""
    seen = lambdas.do(obedient, "path").json
    environment = lambdas.do(obedient, "environment").json
    task, runtime = environment["LAMBDA_TASK_ROOT"], environment["LAMBDA_RUNTIME_DIR"]
    opt = seen["path"][2].removesuffix("/python")
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert seen["path"][:4] == [
        task,
        f"{opt}/python/lib/{python}/site-packages",
        f"{opt}/python",
        runtime,
    ]
    assert not [place for place in seen["path"][4:] if "site-packages" in place]
    assert seen["cwd"] == task
    assert seen["argv"] == [f"{runtime}/bootstrap.py"]


@pytest.mark.documented(f"{NOTE}#search-path")
def test_what_is_installed_here_is_not_there(lambdas: Lambdas, obedient: str) -> None:
    """boto3 is part of the runtime; numpy, installed beside this program, is not."""
    assert lambdas.do(obedient, "import", "boto3").error is None
    answer = lambdas.do(obedient, "import", "numpy").json
    assert (answer["errorType"], answer["errorMessage"]) == (
        "ModuleNotFoundError",
        "No module named 'numpy'",
    )


@pytest.mark.recorded(f"{NOTE}#credentials")
def test_credentials(lambdas: Lambdas) -> None:
    """A function's own requests are signed by a session of its role that bears the function's name."""
    role = lambdas.role.rpartition("/")[2]
    for function, session in [("whoever", "whoever"), ("w", "w@lambda_function")]:
        name = lambdas.create(FunctionName=function, MemorySize=512)
        answer = lambdas.do(name, "call", ["sts", "get_caller_identity", {}]).json
        assert answer["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"


@pytest.mark.recorded(f"{NOTE}#credentials")
def test_each_environment_has_keys_of_its_own(lambdas: Lambdas, obedient: str, bell: Bell) -> None:
    """Two environments of a function have different keys."""
    pending = [lambdas.begin(obedient, bell.order()) for _ in range(2)]
    for call in [bell.wait() for _ in range(2)]:
        call.answer({"do": "environment"})
    keys = {future.result().json["AWS_ACCESS_KEY_ID"] for future in pending}
    assert len(keys) == 2


def test_keys_end_with_their_environment(lambdas: Lambdas) -> None:
    """When a function is deleted, its keys open nothing any more."""
    name = lambdas.create()
    key = lambdas.do(name, "environment").json["AWS_ACCESS_KEY_ID"]
    assert MotoIdentities().find_key(key) is not None
    lambdas.client.delete_function(FunctionName=name)
    assert MotoIdentities().find_key(key) is None


def test_a_function_calls_sagemaker(lambdas: Lambdas) -> None:
    """A function's signed request reaches SageMaker in the same cloud."""
    name = lambdas.create(MemorySize=512)
    arguments: list[Any] = ["sagemaker", "list_endpoints", {"NameContains": "none-of-this-name"}]
    assert lambdas.do(name, "call", arguments).json == {"Endpoints": []}


def policy(statement: Any) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.documented("lambda:Invoke")
def test_a_function_calls_another(lambdas: Lambdas, client: Client) -> None:
    """A function may invoke another one, and even itself, once its role may: not before."""
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = iam.create_role(
        RoleName="caller",
        AssumeRolePolicyDocument=policy({**trust, "Action": "sts:AssumeRole"}),
    )["Role"]["Arn"]
    name = lambdas.create(MemorySize=512, Role=role)
    call = ["lambda", "invoke", {"FunctionName": name, "Payload": '{"do": "count"}'}]
    assert "not authorized to perform: lambda:InvokeFunction" in str(
        lambdas.do(name, "call", call).json
    )
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    iam.put_role_policy(RoleName="caller", PolicyName="call", PolicyDocument=policy(allowed))
    assert lambdas.do(name, "call", call).json["StatusCode"] == 200


@pytest.mark.assumed(f"{NOTE}#execution-environments")
def test_idle_environments_end(lambdas: Lambdas, clock: ManualClock, folders: Folders) -> None:
    """An environment that nobody needed for five minutes ends, with its process and its folder."""
    name = lambdas.create()
    pid = lambdas.do(name, "pid").json
    clock.advance(LIMITS.idle_seconds - 1)
    assert lambdas.do(name, "pid").json == pid
    before = folders.environments()
    clock.advance(LIMITS.idle_seconds - 1)
    assert lambdas.do(name, "pid").json == pid
    clock.advance(LIMITS.idle_seconds)
    wait_until_gone(pid)
    assert lambdas.do(name, "pid").json != pid
    assert not folders.environments() & before


@pytest.mark.assumed(f"{NOTE}#execution-environments")
def test_old_environments_end(lambdas: Lambdas, clock: ManualClock) -> None:
    """An environment does not live for ever, however busy it is: its credentials would end."""
    name = lambdas.create()
    pids = []
    for _ in range(int(LIMITS.environment_seconds / LIMITS.idle_seconds) + 3):
        pids.append(lambdas.do(name, "pid").json)
        clock.advance(LIMITS.idle_seconds - 1)
    assert len(set(pids)) == 2


@pytest.mark.assumed(f"{NOTE}#execution-environments")
def test_few_stay_warm(lambdas: Lambdas, folders: Folders) -> None:
    """Of many functions the ones that were used last stay warm."""
    names = [lambdas.create() for _ in range(LIMITS.idle_environments + 1)]
    pids = {name: lambdas.do(name, "pid").json for name in names}
    wait_until_gone(pids[names[0]])
    assert lambdas.do(names[-1], "pid").json == pids[names[-1]]
    assert len(folders.environments()) <= LIMITS.idle_environments + 1


@pytest.mark.documented(f"{NOTE}#execution-environments")
def test_a_change_makes_a_new_environment(lambdas: Lambdas) -> None:
    """After each change of what decides how a function runs, its next invocation has a new process."""
    name = lambdas.create()
    pids = [lambdas.do(name, "pid").json]
    for change in (
        {"MemorySize": 256},
        {"Timeout": 17},
        {"Environment": {"Variables": {"A": "1"}}},
        {"Handler": "handler.do_pid"},
    ):
        lambdas.client.update_function_configuration(FunctionName=name, **change)
        wait_until_gone(pids[-1])
        pids.append(lambdas.do(name, "pid").json)
    assert len(set(pids)) == 5
    lambdas.client.update_function_configuration(FunctionName=name, Description="other words")
    assert lambdas.do(name, "pid").json == pids[-1]


def test_deletion_leaves_nothing(lambdas: Lambdas, folders: Folders) -> None:
    """When DeleteFunction answers, the function's processes, folders and code are gone."""
    before = folders.code() | folders.environments()
    name = lambdas.create(OBEDIENT + "\n# the only one of its kind\n")
    child = lambdas.do(name, "fork").json
    pid = lambdas.do(name, "pid").json
    made = (folders.code() | folders.environments()) - before
    assert len(made) == 2
    lambdas.client.delete_function(FunctionName=name)
    for process in (pid, child):
        wait_until_gone(process)
    assert not made & (folders.code() | folders.environments())


def test_deletion_during_an_invocation(lambdas: Lambdas, folders: Folders, bell: Bell) -> None:
    """An invocation that runs while its function is deleted comes to its end; then its process ends."""
    name = lambdas.create()
    pending = lambdas.begin(name, bell.order())
    call = bell.wait()
    lambdas.client.delete_function(FunctionName=name)
    assert lambdas.refusal(name)["Error"]["Code"] == "ResourceNotFoundException"
    call.answer({"do": "pid"})
    wait_until_gone(pending.result().json)


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_a_function_that_is_made_again(lambdas: Lambdas) -> None:
    """A function that is deleted and created again, the same in everything, begins anew."""
    name = lambdas.create()
    assert lambdas.do(name, "count").json == 1
    lambdas.client.delete_function(FunctionName=name)
    lambdas.create(FunctionName=name)
    assert lambdas.do(name, "count").json == 1


def test_code_is_read_only(lambdas: Lambdas, obedient: str) -> None:
    """Nobody has the right to write where the code is that others run, too."""
    task = Path(lambdas.do(obedient, "environment").json["LAMBDA_TASK_ROOT"])
    for path in (task, *task.rglob("*.py")):
        assert path.stat().st_mode & 0o222 == 0


def test_a_process_that_is_killed_while_idle(lambdas: Lambdas) -> None:
    """A process that dies between two invocations is replaced, and nobody hears of it."""
    name = lambdas.create()
    pid = lambdas.do(name, "pid").json
    os.kill(pid, 9)
    wait_until_gone(pid)
    result = lambdas.do(name, "count")
    assert (result.json, result.error) == (1, None)


def test_a_process_that_ends_before_it_takes_its_event(
    lambdas: Lambdas, clock: Clockwork, bell: Bell
) -> None:
    """A process that dies with an event waiting for it is replaced, and the event is not lost."""
    source = f"""{OBEDIENT}
def do_last(order, context):
    import runtime_client
    runtime_client.next = lambda: (do_ring(order, context), os._exit(0))
    return os.getpid()
"""
    name = lambdas.create(source, Timeout=171)
    pid = lambdas.do(name, "last", bell.order()["with"]).json
    dying = bell.wait()
    clock.forget()
    pending = lambdas.begin(name, {"do": "count"})
    clock.wait_for(171)  # the event has been offered
    dying.answer()
    result = pending.result()
    assert (result.json, result.error) == (1, None)
    wait_until_gone(pid)


def test_an_end_right_after_the_answer(lambdas: Lambdas) -> None:
    """A process that ends as soon as it has answered has answered; the next invocation has another one."""
    source = f"""{OBEDIENT}
import atexit, threading
def do_vanish(_, context):
    threading.Timer(0.001, os._exit, (0,)).start()
    return os.getpid()
"""
    name = lambdas.create(source)
    for _ in range(3):
        result = lambdas.do(name, "vanish")
        if result.error is None:
            wait_until_gone(result.json)
        assert lambdas.do(name, "count").error is None


def test_many_at_once(lambdas: Lambdas, obedient: str) -> None:
    """Answers of concurrent invocations are not mixed up."""
    pending = {n: lambdas.begin(obedient, {"n": n}) for n in range(100)}
    throttled = 0
    for n, future in pending.items():
        try:
            assert future.result().json == {"n": n}
        except lambdas.client.exceptions.TooManyRequestsException:
            throttled += 1
    assert throttled < 100


@pytest.mark.recorded(f"{NOTE}#concurrency")
def test_no_reserved_concurrency(lambdas: Lambdas) -> None:
    """A function whose reservation is zero is throttled; without the reservation it runs again."""
    name = lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    error = lambdas.refusal(name)
    assert error["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert (error["Type"], error["message"]) == ("User", "Rate Exceeded.")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    lambdas.client.delete_function_concurrency(FunctionName=name)
    assert lambdas.invoke(name, {}).json == {}


@pytest.mark.recorded(f"{NOTE}#concurrency")
def test_reserved_concurrency(lambdas: Lambdas, bell: Bell) -> None:
    """As many invocations as are reserved run at a time, of all versions together."""
    name = lambdas.create(Publish=True)
    lambdas.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    first = lambdas.begin(name, bell.order())
    second = lambdas.begin(name, bell.order(), Qualifier="1")
    calls = [bell.wait(), bell.wait()]
    for qualifier in ("$LATEST", "1"):
        error = lambdas.refusal(name, Qualifier=qualifier)
        assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    for call in calls:
        call.answer()
    assert first.result().json is second.result().json is None
    assert lambdas.invoke(name, 1).json == 1


@pytest.mark.documented(f"{NOTE}#concurrency")
def test_shared_concurrency(lambdas: Lambdas, obedient: str, bell: Bell) -> None:
    """Functions without a reservation share what there is; one with a reservation has its own."""
    other, reserved = lambdas.create(), lambdas.create()
    lambdas.client.put_function_concurrency(FunctionName=reserved, ReservedConcurrentExecutions=1)
    pending = [lambdas.begin(obedient, bell.order()) for _ in range(LIMITS.concurrency)]
    calls = [bell.wait() for _ in pending]
    error = lambdas.refusal(other)
    assert error["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert lambdas.invoke(reserved, 1).json == 1
    for call in calls:
        call.answer()
    for future in pending:
        future.result()
    assert lambdas.invoke(other, 1).json == 1


@pytest.mark.documented("https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html")
def test_package_and_layers_have_one_limit(lambdas: Lambdas) -> None:
    """A package, or a package and its layers together, that grow beyond the limit are refused."""
    assert Limits.current().unzipped_bytes == 250 * 1024 * 1024
    whole = {"handler.py": "", "data": "x" * (LIMITS.unzipped_bytes + 1)}
    half = {"python/data": "x" * (LIMITS.unzipped_bytes // 2 + 1)}
    layer = lambdas.layer("half", half)
    for name in (lambdas.create(whole), lambdas.create(half, Layers=[layer])):
        error = lambdas.refusal(name)["Error"]
        assert error["Code"] == "InvalidZipFileException"
        assert "more than 1000000 bytes" in error["Message"]
    assert lambdas.do(lambdas.create(Layers=[layer]), "count").json == 1


def test_reset(cloud: LocalCloud, lambdas: Lambdas, client: Client, bell: Bell) -> None:
    """A reset ends every function, those that run included, and forgets them all."""
    name = lambdas.create()
    pid = lambdas.do(name, "pid").json
    pending = lambdas.begin(name, bell.order())
    call = bell.wait()
    cloud.reset()
    client("sts").get_caller_identity()  # makes the role again
    assert pending.result().json["errorType"] == "Runtime.ExitError"
    wait_until_gone(pid)
    assert lambdas.refusal(name)["Error"]["Code"] == "ResourceNotFoundException"
    assert list((cloud.functions.folder / "environments").iterdir()) == []
    assert list((cloud.functions.folder / "code").iterdir()) == []
    call.answer()
