"""Jobs and endpoints through any history of calls, compared with a plain model of what AWS documents."""

import itertools
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
from tests.cloud.sagemaker.ground import ACCOUNT, OWN_IMAGE, REGION, ROLE, counts, error_of

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


@dataclass(frozen=True)
class Serving:
    """What an endpoint should be: the configuration that serves (None: Failed), weights and instance counts."""

    config: str | None
    variants: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    failure: bool = False


# Of each variant the weight and the number of instances.
CONFIGS: Mapping[str, Mapping[str, tuple[float, int]]] = {
    "one": {"A": (1.0, 1)},
    "two": {"A": (2.0, 2)},
    "pair": {"A": (3.0, 1), "B": (0.0, 1)},
    "broken": {"A": (1.0, 1)},
}
ALARM = "history"
BAKE = 60
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
POLICIES: Mapping[str, dict[str, Any]] = {
    "rolling": {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 0}},
    "canary": {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": HALF,
                "WaitIntervalInSeconds": 0,
            }
        }
    },
    "baked": {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": BAKE}
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
    },
}
ENDPOINTS = st.sampled_from(["Red", "RED", "Green"])
WORKING = st.sampled_from(["one", "two", "pair"])


class EndpointHistory(RuleBasedStateMachine):
    """Endpoints that are deployed, updated by any policy, scaled, deleted, and whose workers die.

    The model: name as it was created -> what it should be (docs/notes/endpoints.md, "Status").
    """

    def __init__(
        self,
        cloud: LocalCloud,
        clock: ManualClock,
        client: Callable[..., Any],
        sagemaker: Any,
        runtime: Any,
        state: AccountRegion,
    ) -> None:
        super().__init__()
        self.cloud, self.clock, self.sagemaker, self.runtime = cloud, clock, sagemaker, runtime
        self.cloudwatch, self.state = client("cloudwatch"), state
        self.model: dict[str, Serving] = {}

    @initialize()
    def configure(self) -> None:
        for config, variants in CONFIGS.items():
            for variant in variants:
                do = "crash" if config == "broken" else ""
                environment = {"NAME": f"{config}/{variant}", "DO": do}
                self.sagemaker.create_model(
                    ModelName=f"{config}-{variant}",
                    PrimaryContainer={"Image": OWN_IMAGE, "Environment": environment},
                    ExecutionRoleArn=ROLE,
                )
            self.sagemaker.create_endpoint_config(
                EndpointConfigName=config,
                ProductionVariants=[
                    {
                        "VariantName": variant,
                        "ModelName": f"{config}-{variant}",
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": count,
                        "InitialVariantWeight": weight,
                    }
                    for variant, (weight, count) in variants.items()
                ],
            )
        self.cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="N",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )

    def _known(self, name: str) -> str | None:
        return next((known for known in self.model if known.lower() == name.lower()), None)

    def _settle(self, name: str) -> None:
        self.state.endpoints.wait_for(
            name, lambda e: e is None or e.status in ("InService", "Failed"), 30
        )

    @rule(name=ENDPOINTS, config=WORKING | st.just("broken"))
    def create(self, name: str, config: str) -> None:
        request = {"EndpointName": name, "EndpointConfigName": config}
        if self._known(name):
            assert "already existing" in error_of(self.sagemaker.create_endpoint, **request)[1]
            return
        self.sagemaker.create_endpoint(**request)
        self._settle(name)
        works = config != "broken"
        self.model[name] = Serving(config, CONFIGS[config]) if works else Serving(None, {}, True)

    def _serving(self) -> list[str]:
        return [name for name, endpoint in self.model.items() if endpoint.config is not None]

    @precondition(lambda self: self._serving())
    @rule(
        data=st.data(),
        config=WORKING | st.just("broken"),
        policy=st.sampled_from([None, *POLICIES]),
        retain=st.booleans(),
        alarm=st.booleans(),
    )
    def update(
        self, data: st.DataObject, config: str, policy: str | None, retain: bool, alarm: bool
    ) -> None:
        name = data.draw(st.sampled_from(self._serving()))
        before = self.model[name]
        request: dict[str, Any] = {
            "EndpointName": name,
            "EndpointConfigName": config,
            "RetainAllVariantProperties": retain,
        }
        if policy is not None:
            request["DeploymentConfig"] = POLICIES[policy]
            if set(CONFIGS[config]) != set(before.variants):
                refused = error_of(self.sagemaker.update_endpoint, **request)
                assert "must have the variants" in refused[1]
                return
        self.sagemaker.update_endpoint(**request)
        works = config != "broken"
        if policy == "baked" and works:
            works = self._bake(name, alarm)
        self._settle(name)
        kept = before.variants if retain else {}
        self.model[name] = (
            Serving(config, {v: kept.get(v, new) for v, new in CONFIGS[config].items()})
            if works
            else replace(before, failure=True)
        )

    def _bake(self, name: str, alarm: bool) -> bool:
        """Let it bake, or let the alarm go off meanwhile; whether the update succeeds."""

        def baking(endpoint: Any) -> bool:
            status = endpoint.pending.variants[0].status
            return status is not None and status.status == "Baking"

        self.state.endpoints.wait_for(name, baking, 30)
        if alarm:
            self._set_alarm("ALARM")
        self.clock.advance(BAKE)
        self._settle(name)
        self._set_alarm("OK")
        return not alarm

    def _set_alarm(self, value: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=value, StateReason="history")

    @rule(name=ENDPOINTS)
    def update_what_cannot_be(self, name: str) -> None:
        known = self._known(name)
        if known is None or self.model[known].config is None:
            request = {"EndpointName": name, "EndpointConfigName": "one"}
            assert error_of(self.sagemaker.update_endpoint, **request)[0] == "ValidationException"

    @precondition(lambda self: self._serving())
    @rule(
        data=st.data(),
        wishes=st.dictionaries(
            st.sampled_from("ABC"),
            st.tuples(st.sampled_from([None, 0.0, 0.5, 4.0]), st.sampled_from([None, 0, 1, 2, 3])),
            min_size=1,
        ),
    )
    def scale(
        self, data: st.DataObject, wishes: dict[str, tuple[float | None, int | None]]
    ) -> None:
        name = data.draw(st.sampled_from(self._serving()))
        before = self.model[name]
        request = {
            "EndpointName": name,
            "DesiredWeightsAndCapacities": [
                {
                    "VariantName": variant,
                    **({} if weight is None else {"DesiredWeight": weight}),
                    **({} if count is None else {"DesiredInstanceCount": count}),
                }
                for variant, (weight, count) in wishes.items()
            ],
        }
        scale = self.sagemaker.update_endpoint_weights_and_capacities
        if not set(wishes) <= set(before.variants) or any(n == 0 for _, n in wishes.values()):
            assert error_of(scale, **request)[0] == "ValidationException"
            return
        scale(**request)
        self._settle(name)
        after = dict(before.variants)
        for variant, (weight, count) in wishes.items():
            old = after[variant]
            after[variant] = (
                old[0] if weight is None else weight,
                old[1] if count is None else count,
            )
        self.model[name] = Serving(before.config, after)

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
        variant = data.draw(st.sampled_from(sorted(self.model[name].variants)))
        killed = error_of(
            self.runtime.invoke_endpoint, EndpointName=name, Body=b"die", TargetVariant=variant
        )
        assert killed[0] in ("ModelError", "ServiceUnavailable")

    @invariant()
    def serves_as_the_model_says(self) -> None:
        listed = self.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
        assert {row["EndpointName"] for row in listed} == set(self.model)
        for name, expected in self.model.items():
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            assert ("FailureReason" in found) == expected.failure
            assert "PendingDeploymentSummary" not in found
            if expected.config is None:
                assert found["EndpointStatus"] == "Failed"
                refused = error_of(self.runtime.invoke_endpoint, EndpointName=name, Body=b"")
                assert refused[0] == "ValidationError"
                continue
            assert found["EndpointStatus"] == "InService"
            assert found["EndpointConfigName"] == expected.config
            assert counts(found) == {
                variant: (weight, weight, count, count)
                for variant, (weight, count) in expected.variants.items()
            }
            self._answers(name, expected)

    def _answers(self, name: str, expected: Serving) -> None:
        """Each variant answers when it is named; without a name only those that have weight, if any has."""
        for variant in expected.variants:
            assert self._answer(name, variant) == f"{expected.config}/{variant}"
        weights = {variant: weight for variant, (weight, _) in expected.variants.items()}
        heavy = {variant for variant, weight in weights.items() if weight} or set(weights)
        assert self._answer(name) in {f"{expected.config}/{variant}" for variant in heavy}

    def _answer(self, name: str, variant: str | None = None) -> str:
        target = {} if variant is None else {"TargetVariant": variant}
        while True:
            try:
                answer = self.runtime.invoke_endpoint(EndpointName=name, Body=b"", **target)
                return str(answer["Body"].read().decode())
            except ClientError as error:
                # Only while a dead worker is being replaced.
                if error.response["Error"]["Code"] != "ServiceUnavailable":
                    raise

    def teardown(self) -> None:
        self.cloud.sagemaker.reset()


def test_endpoints_through_any_history(
    cloud: LocalCloud,
    clock: ManualClock,
    client: Callable[..., Any],
    sagemaker: Any,
    runtime: Any,
    state: AccountRegion,
) -> None:
    """Created, updated, scaled, broken, killed and deleted in any order, endpoints serve what the model says."""
    run_state_machine_as_test(
        lambda: EndpointHistory(cloud, clock, client, sagemaker, runtime, state),  # type: ignore[arg-type]
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
