"""Jobs and endpoints through any history of calls, compared with a plain model of what AWS documents."""

import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.cloud.clock import ManualClock
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.records import TRAINING_JOB, TrainingJob
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.ground import ACCOUNT, OWN_IMAGE, REGION, ROLE, error_of

PLACES = max(4, os.cpu_count() or 1)
MAX_RUNTIME = 3600
NAMES = st.sampled_from(["Alpha", "ALPHA", "Beta", "Gamma", "Delta", "Epsilon", "Zeta"])
STARTING, TRAINING = ("InProgress", "Starting"), ("InProgress", "Training")
HISTORY = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class JobHistory(RuleBasedStateMachine):
    """Training jobs that run until they are told to end.

    The model: name in lower case -> primary status and secondary status, in the order of creation.
    """

    def __init__(
        self, cloud: LocalCloud, clock: ManualClock, sagemaker: Any, state: AccountRegion
    ) -> None:
        super().__init__()
        self.cloud, self.clock, self.sagemaker, self.state = cloud, clock, sagemaker, state
        self.model: dict[str, tuple[str, str]] = {}
        self.folder = tempfile.TemporaryDirectory()
        self.pipes: dict[str, Path] = {}
        self.numbers = itertools.count()

    @rule(name=NAMES)
    def create(self, name: str) -> None:
        pipe = Path(self.folder.name, str(next(self.numbers)))
        os.mkfifo(pipe)
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": OWN_IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "HyperParameters": {"1-obey": str(pipe)},
            "OutputDataConfig": {"S3OutputPath": "s3://training-bucket/histories"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": MAX_RUNTIME},
        }
        if name.lower() in self.model:
            assert error_of(self.sagemaker.create_training_job, **request)[0] == "ResourceInUse"
            return
        self.sagemaker.create_training_job(**request)
        self.pipes[name.lower()] = pipe
        self.model[name.lower()] = STARTING
        self._start_waiting()

    def _in(self, *statuses: tuple[str, str]) -> list[str]:
        return [name for name, status in self.model.items() if status in statuses]

    @precondition(lambda self: self._in(TRAINING))
    @rule(data=st.data(), code=st.sampled_from([0, 1]))
    def finish(self, data: st.DataObject, code: int) -> None:
        name = data.draw(st.sampled_from(self._in(TRAINING)))
        self.pipes[name].write_text(str(code))
        self._end(name, "Failed" if code else "Completed")

    @precondition(lambda self: self._in(TRAINING, STARTING))
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._in(TRAINING, STARTING)))
        self.sagemaker.stop_training_job(TrainingJobName=name.swapcase())
        self._end(name, "Stopped")

    @rule(name=NAMES)
    def stop_what_cannot_be(self, name: str) -> None:
        status, _ = self.model.get(name.lower(), ("", ""))
        if status != "InProgress":
            code, text = error_of(self.sagemaker.stop_training_job, TrainingJobName=name)
            assert code == "ValidationException"
            assert status in text

    @precondition(lambda self: any(status != "InProgress" for status, _ in self.model.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        ended = [name for name, (status, _) in self.model.items() if status != "InProgress"]
        name = data.draw(st.sampled_from(ended))
        self.sagemaker.delete_training_job(TrainingJobName=name)
        del self.model[name]

    @rule(name=NAMES)
    def delete_what_cannot_be(self, name: str) -> None:
        status, _ = self.model.get(name.lower(), ("", ""))
        if status in ("", "InProgress"):
            code = error_of(self.sagemaker.delete_training_job, TrainingJobName=name)[0]
            assert code == ("ResourceInUse" if status else "ResourceNotFound")

    @rule(seconds=st.sampled_from([1, MAX_RUNTIME]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        if seconds == MAX_RUNTIME:
            for name in self._in(TRAINING):
                self._end(name, "Stopped", "MaxRuntimeExceeded", start=False)
            self._start_waiting()

    def _end(self, name: str, status: str, secondary: str = "", start: bool = True) -> None:
        self._until(name, status, secondary or status)
        if start:
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Whoever waits gets a free place, in the order of creation."""
        for name, (_, secondary) in list(self.model.items()):
            running = len(self._in(TRAINING))
            if secondary == "Starting" and running < PLACES:
                self._until(name, "InProgress", "Training")

    def _until(self, name: str, status: str, secondary: str) -> None:
        def reached(job: TrainingJob | None) -> bool:
            return job is not None and (job.status, job.secondary) == (status, secondary)

        self.state.training_jobs.wait_for(name, reached, 30)
        self.model[name.lower()] = (status, secondary)

    @invariant()
    def described_as_the_model_says(self) -> None:
        listed = self.sagemaker.list_training_jobs(MaxResults=100, SortBy="Name")
        found = {
            row["TrainingJobName"].lower(): (row["TrainingJobStatus"], row["SecondaryStatus"])
            for row in listed["TrainingJobSummaries"]
        }
        assert found == self.model
        for name, (status, secondary) in self.model.items():
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            rows = job["SecondaryStatusTransitions"]
            assert (job["TrainingJobStatus"], rows[-1]["Status"]) == (status, secondary)
            assert [row["EndTime"] for row in rows[:-1]] == [row["StartTime"] for row in rows[1:]]
            assert ("EndTime" in rows[-1]) == TRAINING_JOB.terminal(f"{status}/{secondary}")
            assert ("FailureReason" in job) == (status == "Failed")
            assert job["CreationTime"] == rows[0]["StartTime"] <= job["LastModifiedTime"]

    def teardown(self) -> None:
        self.cloud.sagemaker.reset()
        self.folder.cleanup()


def test_training_jobs_through_any_history(
    cloud: LocalCloud, clock: ManualClock, sagemaker: Any, state: AccountRegion, bucket: str
) -> None:
    """Created, finished, stopped, timed out and deleted in any order, jobs are what the model says."""
    run_state_machine_as_test(
        lambda: JobHistory(cloud, clock, sagemaker, state),  # type: ignore[arg-type]
        settings=HISTORY,
    )


CONFIGS = st.sampled_from(["one", "two", "broken"])
WORKING = st.sampled_from(["one", "two"])
ENDPOINTS = st.sampled_from(["Red", "RED", "Green"])


class EndpointHistory(RuleBasedStateMachine):
    """Endpoints that are deployed, updated, deleted, and whose workers die.

    The model: name as it was created -> configuration that serves (None: Failed), whether an update failed.
    """

    def __init__(
        self, cloud: LocalCloud, sagemaker: Any, runtime: Any, state: AccountRegion
    ) -> None:
        super().__init__()
        self.cloud, self.sagemaker, self.runtime, self.state = cloud, sagemaker, runtime, state
        self.model: dict[str, tuple[str | None, bool]] = {}

    @initialize()
    def configure(self) -> None:
        for name in ("one", "two", "broken"):
            self.sagemaker.create_model(
                ModelName=name,
                PrimaryContainer={
                    "Image": OWN_IMAGE,
                    "Environment": {"NAME": name, "DO": "crash" if name == "broken" else ""},
                },
                ExecutionRoleArn=ROLE,
            )
            variant = {
                "VariantName": "A",
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
            self.sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[variant]
            )

    def _known(self, name: str) -> str | None:
        return next((known for known in self.model if known.lower() == name.lower()), None)

    def _settle(self, name: str) -> None:
        self.state.endpoints.wait_for(
            name, lambda e: e is None or e.status in ("InService", "Failed"), 30
        )

    @rule(name=ENDPOINTS, config=WORKING | CONFIGS)
    def create(self, name: str, config: str) -> None:
        request = {"EndpointName": name, "EndpointConfigName": config}
        if self._known(name):
            assert "already existing" in error_of(self.sagemaker.create_endpoint, **request)[1]
            return
        self.sagemaker.create_endpoint(**request)
        self._settle(name)
        self.model[name] = (None if config == "broken" else config, config == "broken")

    def _serving(self) -> list[str]:
        return [name for name, (config, _) in self.model.items() if config is not None]

    @precondition(lambda self: self._serving())
    @rule(data=st.data(), config=CONFIGS)
    def update(self, data: st.DataObject, config: str) -> None:
        name = data.draw(st.sampled_from(self._serving()))
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        self._settle(name)
        serving = self.model[name][0] if config == "broken" else config
        self.model[name] = (serving, config == "broken")

    @rule(name=ENDPOINTS)
    def update_what_cannot_be(self, name: str) -> None:
        known = self._known(name)
        if known is None or self.model[known][0] is None:
            request = {"EndpointName": name, "EndpointConfigName": "one"}
            assert error_of(self.sagemaker.update_endpoint, **request)[0] == "ValidationException"

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model)))
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.state.endpoints.wait_for(name, lambda e: e is None, 30)
        del self.model[name]

    @rule(name=ENDPOINTS)
    def delete_what_is_not_there(self, name: str) -> None:
        if self._known(name) is None:
            text = error_of(self.sagemaker.delete_endpoint, EndpointName=name)[1]
            assert text.startswith("Could not find endpoint ")

    @precondition(lambda self: self._serving())
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._serving()))
        killed = error_of(self.runtime.invoke_endpoint, EndpointName=name, Body=b"die")
        assert killed[0] == "ModelError"

    @invariant()
    def serves_as_the_model_says(self) -> None:
        listed = self.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
        assert {row["EndpointName"] for row in listed} == set(self.model)
        for name, (config, failed) in self.model.items():
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            assert ("FailureReason" in found) == failed
            assert "PendingDeploymentSummary" not in found
            if config is None:
                assert found["EndpointStatus"] == "Failed"
                refused = error_of(self.runtime.invoke_endpoint, EndpointName=name, Body=b"")
                assert refused[0] == "ValidationError"
            else:
                assert found["EndpointStatus"] == "InService"
                assert found["EndpointConfigName"] == config
                assert self._answer(name) == config

    def _answer(self, name: str) -> str:
        while True:
            try:
                answer = self.runtime.invoke_endpoint(EndpointName=name, Body=b"")
                return str(answer["Body"].read().decode())
            except ClientError as error:
                # Only while a dead worker is being replaced.
                if error.response["Error"]["Code"] != "ServiceUnavailable":
                    raise

    def teardown(self) -> None:
        self.cloud.sagemaker.reset()


def test_endpoints_through_any_history(
    cloud: LocalCloud, sagemaker: Any, runtime: Any, state: AccountRegion
) -> None:
    """Created, updated, broken, killed and deleted in any order, endpoints are and serve what the model says."""
    run_state_machine_as_test(
        lambda: EndpointHistory(cloud, sagemaker, runtime, state),  # type: ignore[arg-type]
        settings=HISTORY,
    )


@pytest.mark.parametrize("region", [REGION, "eu-west-1"])
def test_nothing_is_left_of_the_histories(
    client: Callable[..., Any], cloud: LocalCloud, region: str
) -> None:
    """After a reset nothing is listed, in the region that was used and in any other."""
    sagemaker = client("sagemaker", region=region)
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_models()["Models"] == []
    state = cloud.sagemaker.account_region(ACCOUNT, region)
    assert (state.tags, state.training_runs, state.hostings) == ({}, {}, {})
