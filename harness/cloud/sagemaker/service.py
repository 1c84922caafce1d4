"""SageMaker's control plane: the state of every account and region, and what its operations work with."""

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.cloud.backing.logs import LogStore
from harness.cloud.clock import Clock
from harness.cloud.context import RequestContext
from harness.cloud.runtime.router import Router
from harness.cloud.sagemaker.background import Background
from harness.cloud.sagemaker.lifecycle import STATIC, Registry
from harness.cloud.sagemaker.pace import Pace
from harness.cloud.sagemaker.records import (
    ENDPOINT,
    TRAINING_JOB,
    Endpoint,
    EndpointConfig,
    Model,
    TrainingJob,
)
from harness.containers.images import Images
from harness.containers.spec import Engine

if TYPE_CHECKING:
    from harness.cloud.sagemaker.deployments import Hosting
    from harness.cloud.sagemaker.training_runs import TrainingRun

log = logging.getLogger(__name__)

CLOSE_SECONDS = 10.0


class Backing(Protocol):
    """How the control plane reaches the other services."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with the cloud's own credentials."""

    def role_client(self, service: str, region: str, role_arn: str) -> Any:
        """A boto3 client with the credentials of a role; botocore's ClientError if STS refuses."""


class AccountRegion:
    """Everything that exists in one account and region. `changed` is its one lock, and tells of every move.

    The lock is held for reading and changing records only, never across a call to S3 or an engine.
    """

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self.account = account
        self.region = region
        self.changed = threading.Condition()
        self.training_jobs: Registry[TrainingJob] = Registry(TRAINING_JOB, clock, self.changed)
        self.models: Registry[Model] = Registry(STATIC, clock, self.changed)
        self.endpoint_configs: Registry[EndpointConfig] = Registry(STATIC, clock, self.changed)
        self.endpoints: Registry[Endpoint] = Registry(ENDPOINT, clock, self.changed)
        # Tags of each resource by its ARN.
        self.tags: dict[str, dict[str, str]] = {}
        # What works for a record, by the record's serial.
        self.training_runs: dict[int, TrainingRun] = {}
        self.hostings: dict[int, Hosting] = {}


class SageMaker:
    """The service. Operations are functions that take it as first argument (operations.py has the table)."""

    def __init__(
        self,
        clock: Clock,
        engine: Engine,
        images: Images,
        backing: Backing,
        logs: LogStore,
        router: Router | None = None,
        pace: Pace | None = None,
        state_dir: Path | None = None,
        parallel_jobs: int | None = None,
        on_fault: Callable[[Exception], object] | None = None,
    ) -> None:
        self.clock = clock
        self.engine = engine
        self.images = images
        self.backing = backing
        self.logs = logs
        self.router = router or Router()
        self.pace = pace or Pace()
        self.on_fault = on_fault or _log_fault
        self.background = Background(
            parallel_jobs or max(4, os.cpu_count() or 1), lambda error: self.on_fault(error)
        )
        self._own_folder = Path(tempfile.mkdtemp(prefix="sagemaker-", dir=state_dir))
        self._lock = threading.Lock()
        self._states: dict[tuple[str, str], AccountRegion] = {}
        self._closed = False

    def state(self, context: RequestContext) -> AccountRegion:
        """The state that a request is about."""
        return self.account_region(context.account, context.region)

    def account_region(self, account: str, region: str) -> AccountRegion:
        """The state of one account in one region, made when it is first asked for."""
        with self._lock:
            key = (account, region)
            if key not in self._states:
                self._states[key] = AccountRegion(account, region, self.clock)
            return self._states[key]

    def tags_of(self, account: str, region: str, arn: str) -> Mapping[str, str]:
        """The tags of a resource; none if there is no such thing."""
        return dict(self.account_region(account, region).tags.get(arn, {}))

    def folder(self, purpose: str) -> Path:
        """A new folder for a job or a worker, whose owner removes it."""
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self._own_folder))

    def reset(self) -> None:
        """End every job and endpoint and forget every record."""
        for state in self._all_states():
            with state.changed:
                for registry in (
                    state.training_jobs,
                    state.models,
                    state.endpoint_configs,
                    state.endpoints,
                ):
                    registry.clear()
                state.tags.clear()
                ends = [run.end for run in state.training_runs.values()]
                ends += [hosting.end for hosting in state.hostings.values()]
            # Many may have to end: each in a thread of its own.
            for end in ends:
                self.background.start("reset", end)
        if not self.background.drain(CLOSE_SECONDS):
            log.error("some jobs or endpoints did not end within %s s", CLOSE_SECONDS)

    def close(self) -> None:
        """End everything, and remove what was written."""
        if self._closed:
            return
        self._closed = True
        self.reset()
        shutil.rmtree(self._own_folder, ignore_errors=True)

    def _all_states(self) -> Iterator[AccountRegion]:
        with self._lock:
            return iter(list(self._states.values()))


def _log_fault(error: Exception) -> None:
    log.error("internal failure", exc_info=error)
