"""Steps are read off calls: when they begin, what they say meanwhile, when they end."""

from typing import Any

from harness.runs.calls import Call
from harness.runs.steps import Step, Steps


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Played:
    """Feeds calls to steps, a second apart unless told otherwise."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seen: list[Step] = []
        self.steps = Steps(self.seen.append, self.clock)
        self._number = 0

    def call(
        self, service: str, operation: str, answer: dict[str, Any] | None = None, **names: str
    ) -> None:
        """A second later, a call is answered."""
        self.clock.now += 1
        self._number += 1
        error = (answer or {}).get("Error", {}).get("Code")
        self.steps(Call(self._number, service, operation, names, answer or {}, error, 0.25))

    def finish(self) -> list[Step]:
        """Two seconds later everything is over."""
        self.clock.now += 2
        return self.steps.finish()


def test_a_training_job_is_a_step_from_its_request_to_its_end() -> None:
    """The step lasts from before CreateTrainingJob to the describe that says Completed."""
    played = Played()
    played.call("sagemaker", "CreateTrainingJob", TrainingJobName="j")
    for status, secondary in (("InProgress", "Training"), ("Completed", "Completed")):
        answer = {"TrainingJobStatus": status, "SecondaryStatus": secondary}
        played.call("sagemaker", "DescribeTrainingJob", answer, TrainingJobName="j")
    assert [(step.status, step.detail, step.ended) for step in played.seen] == [
        ("InProgress", "", False),
        ("InProgress", "Training", False),
        ("Completed", "Completed", True),
    ]
    (step,) = played.finish()
    assert (step.verb, step.subject, step.seconds) == ("training", "j", 2.25)
    assert played.steps.statuses == {("training_job", "j"): ["InProgress", "Completed"]}


def test_a_failed_job_says_why() -> None:
    """The step fails and its detail is the failure reason."""
    played = Played()
    played.call("sagemaker", "CreateTrainingJob", TrainingJobName="j")
    answer = {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": "why"}
    played.call("sagemaker", "DescribeTrainingJob", answer, TrainingJobName="j")
    (step,) = played.finish()
    assert (step.failed, step.detail) == (True, "why")


def test_a_request_that_was_refused_is_no_step() -> None:
    """Nothing is trained, deployed or deleted by a request that failed."""
    played = Played()
    refused = {"Error": {"Code": "ValidationException"}}
    for operation in ("CreateTrainingJob", "CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint"):
        played.call("sagemaker", operation, refused, TrainingJobName="j", EndpointName="e")
    assert played.finish() == []


def test_an_endpoint_is_deployed_updated_and_deleted() -> None:
    """Three steps; the deletion ends when the endpoint is no longer there."""
    played = Played()

    def describe(status: str) -> None:
        played.call("sagemaker", "DescribeEndpoint", {"EndpointStatus": status}, EndpointName="e")

    played.call("sagemaker", "CreateEndpoint", EndpointName="e")
    describe("Creating")
    describe("InService")
    played.call("sagemaker", "UpdateEndpoint", EndpointName="e")
    describe("Updating")
    describe("InService")
    played.call("sagemaker", "DeleteEndpoint", EndpointName="e")
    describe("Deleting")
    gone = {"Error": {"Code": "ValidationException"}}
    played.call("sagemaker", "DescribeEndpoint", gone, EndpointName="e")
    steps = played.finish()
    assert [(step.verb, step.status, step.seconds) for step in steps] == [
        ("deploying", "InService", 2.25),
        ("updating", "InService", 2.25),
        ("deleting", "gone", 2.25),
    ]
    path = ["Creating", "InService", "Updating", "InService", "Deleting"]
    assert played.steps.statuses == {("endpoint", "e"): path}


def test_a_deletion_that_nobody_watches_takes_no_longer_than_its_call() -> None:
    """What comes later does not count as time spent deleting."""
    played = Played()
    played.call("sagemaker", "DeleteEndpoint", EndpointName="e")
    played.clock.now += 60
    (step,) = played.finish()
    assert (step.seconds, step.ended) == (0.25, True)


def test_calls_in_a_row_are_one_step() -> None:
    """Requests to one endpoint are counted together, from the first to the last; uploads too."""
    played = Played()
    for _ in range(3):
        played.call("s3", "PutObject", Bucket="b", Key="k")
    for _ in range(2):
        played.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="e")
    played.call(
        "sagemaker-runtime", "InvokeEndpoint", {"Error": {"Code": "ModelError"}}, EndpointName="e"
    )
    steps = played.finish()
    assert [(step.verb, step.subject, step.count, step.seconds, step.status) for step in steps] == [
        ("uploading to", "s3://b", 3, 2.25, ""),
        ("invoking", "e", 3, 2.25, "ModelError"),
    ]
    assert all(step.ended for step in steps)


def test_calls_that_are_no_step_change_nothing() -> None:
    """Listing and describing what nobody works on makes no step."""
    played = Played()
    played.call("sagemaker", "ListEndpoints")
    played.call("sagemaker", "DescribeEndpoint", {"EndpointStatus": "InService"}, EndpointName="e")
    assert played.finish() == []
    assert played.seen == []
