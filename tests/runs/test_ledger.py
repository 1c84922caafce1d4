"""The ledger: the intent is on the disk before the request leaves, and reading it survives a crash."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from harness.runs import ledger as ledgers
from harness.runs.calls import Call, Calls
from harness.runs.ledger import DamagedLedger, Ledger
from harness.runs.resources import Resource
from harness.targets import Place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is."""
    return tmp_path / "deep" / "ledger.jsonl"


def bucket(name: str) -> Resource:
    """A bucket as a ledger has it."""
    return Resource("Bucket", (("Bucket", name),))


def session(**arguments: Any) -> Any:
    """A boto3 session of its own, as a scenario has one."""
    return boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1", **arguments
    )


def test_an_intent_is_written_before_the_request_is_sent(path: Path, place: Place) -> None:
    """When the request goes out, the file already names the resource, unconfirmed."""
    boto = session()
    seen: list[list[ledgers.Entry]] = []
    with Ledger(path, "run") as ledger, Calls(boto, ledger, lambda call: None):
        s3 = boto.client("s3", endpoint_url=place.endpoint_url)
        s3.meta.events.register("before-send.s3", lambda **_: seen.append(ledgers.read(path)))
        s3.create_bucket(Bucket="ledger-one")
        assert [(e.resource, e.confirmed) for e in seen[0]] == [(bucket("ledger-one"), None)]
        assert [entry.confirmed for entry in ledgers.read(path)] == [True]
        s3.delete_bucket(Bucket="ledger-one")


def test_a_refused_request_created_nothing(path: Path, place: Place) -> None:
    """An error of the service is confirmed as such; nothing would be torn down."""
    boto = session()
    with Ledger(path, "run") as ledger, Calls(boto, ledger, lambda call: None):
        s3 = boto.client("s3", endpoint_url=place.endpoint_url)
        with pytest.raises(ClientError):
            s3.create_bucket(Bucket=place.bucket, ACL="nonsense")
    assert [entry.confirmed for entry in ledgers.read(path)] == [False]


def test_a_request_without_answer_stays_open(path: Path) -> None:
    """When nobody answers, the resource may exist: the intent is neither created nor refused."""
    boto = session()
    calls: list[Call] = []
    with Ledger(path, "run") as ledger, Calls(boto, ledger, calls.append):
        config = Config(retries={"max_attempts": 0})
        s3 = boto.client("s3", endpoint_url="http://127.0.0.1:9", config=config)
        with pytest.raises(EndpointConnectionError):
            s3.create_bucket(Bucket="nowhere")
    (entry,) = ledgers.read(path)
    assert (entry.resource, entry.confirmed) == (bucket("nowhere"), None)
    assert [call.error for call in calls] == ["EndpointConnectionError"]


def test_after_the_run_calls_are_not_written(path: Path, place: Place) -> None:
    """Leaving the context unregisters the hooks."""
    boto = session()
    with Ledger(path, "run") as ledger:
        with Calls(boto, ledger, lambda call: None):
            pass
        boto.client("s3", endpoint_url=place.endpoint_url).list_buckets()
    assert path.read_text() == ""


def test_a_listener_that_fails_does_not_break_a_call(path: Path, place: Place) -> None:
    """What watches a lesson cannot make it fail."""

    def fails(call: Call) -> None:
        raise RuntimeError("listener")

    boto = session()
    with Ledger(path, "run") as ledger, Calls(boto, ledger, fails) as calls:
        boto.client("s3", endpoint_url=place.endpoint_url).list_buckets()
        assert calls.services == {"s3"}


def test_what_is_no_creation_is_not_written(path: Path) -> None:
    """Reads, deletions and requests without a name leave no line."""
    with Ledger(path, "run") as ledger:
        assert ledger.intend("s3", "ListBuckets", {}) is None
        assert ledger.intend("s3", "DeleteBucket", {"Bucket": "b"}) is None
        assert ledger.intend("s3", "CreateBucket", {}) is None
    assert path.read_text() == ""


def test_a_line_that_was_cut_off_counts_as_not_written(path: Path) -> None:
    """A crash in the middle of a write loses that line alone."""
    with Ledger(path, "run") as ledger:
        for name in ("a", "b"):
            ledger.intend("s3", "CreateBucket", {"Bucket": name})
    whole = path.read_text()
    for cut in range(1, len(whole.splitlines()[1])):
        path.write_text(whole[:-1][:-cut])
        assert [entry.resource for entry in ledgers.read(path)] == [bucket("a")]


def test_two_runs_share_a_file(path: Path) -> None:
    """A second run adds to the file; its numbers do not touch the first run's entries."""
    for run in ("one", "two"):
        with Ledger(path, run) as ledger:
            number = ledger.intend("s3", "CreateBucket", {"Bucket": run})
            assert number == 1
            if run == "two":
                ledger.confirm(number, created=True)
    found = [(entry.run, entry.resource, entry.confirmed) for entry in ledgers.read(path)]
    assert found == [("one", bucket("one"), None), ("two", bucket("two"), True)]


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"event": "created", "entry": 7, "run": "run"}', "{}"]
)
def test_a_damaged_ledger_is_an_error_that_names_the_line(path: Path, line: str) -> None:
    """Anything else than a cut-off end is not guessed at."""
    with Ledger(path, "run") as ledger:
        ledger.intend("s3", "CreateBucket", {"Bucket": "a"})
    path.write_text(f"{line}\n{path.read_text()}")
    with pytest.raises(DamagedLedger, match="line 1"):
        ledgers.read(path)


def test_each_line_says_which_run_and_scenario(path: Path) -> None:
    """An intent carries the run's id, the scenario and the request, and no more than the names."""
    with Ledger(path, "run-1") as ledger:
        ledger.scenario = "lesson"
        number = ledger.intend("sagemaker", "CreateModel", {"ModelName": "m", "Secret": "s"})
        assert number is not None
        ledger.confirm(number, created=True)
    intent, confirmation = (json.loads(line) for line in path.read_text().splitlines())
    assert {k: v for k, v in intent.items() if k != "time"} == {
        "entry": 1,
        "event": "intent",
        "run": "run-1",
        "scenario": "lesson",
        "service": "sagemaker",
        "operation": "CreateModel",
        "names": {"ModelName": "m"},
    }
    assert (confirmation["entry"], confirmation["run"]) == (1, "run-1")
    assert confirmation["event"] == "created"
