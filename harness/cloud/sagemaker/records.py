"""What is kept of each resource, and the moves that each may make (docs/notes/training-jobs.md, endpoints.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.cloud.sagemaker.lifecycle import Lifecycle, Record
from harness.containers.images import Implementation

Members = Mapping[str, Any]


def _moves(table: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {state: frozenset(targets.split()) for state, targets in table.items()}


# TrainingJobStatus/SecondaryStatus
TRAINING_JOB = Lifecycle(
    "training job",
    "InProgress/Starting",
    _moves(
        {
            "InProgress/Starting": "InProgress/Downloading InProgress/Uploading Stopping/Stopping Failed/Failed",
            "InProgress/Downloading": "InProgress/Training Stopping/Stopping Failed/Failed",
            "InProgress/Training": "InProgress/Uploading Stopping/Stopping Failed/Failed",
            "InProgress/Uploading": "Completed/Completed Failed/Failed Stopping/Stopping",
            "Stopping/Stopping": (
                "Stopping/Uploading Stopped/Stopped Stopped/MaxRuntimeExceeded "
                "Stopped/MaxWaitTimeExceeded Failed/Failed"
            ),
            "Stopping/Uploading": (
                "Stopped/Stopped Stopped/MaxRuntimeExceeded Stopped/MaxWaitTimeExceeded Failed/Failed"
            ),
            "Completed/Completed": "",
            "Failed/Failed": "",
            "Stopped/Stopped": "",
            "Stopped/MaxRuntimeExceeded": "",
            "Stopped/MaxWaitTimeExceeded": "",
        }
    ),
)

ENDPOINT = Lifecycle(
    "endpoint",
    "Creating",
    _moves(
        {
            "Creating": "InService Failed",
            "InService": "Updating Deleting",
            "Updating": "InService RollingBack UpdateRollbackFailed",
            "RollingBack": "InService UpdateRollbackFailed",
            "UpdateRollbackFailed": "Updating Deleting",
            "Failed": "Deleting",
            "Deleting": "",
        }
    ),
)

ENDPOINT_IN_PROGRESS = frozenset(
    {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
)


@dataclass(frozen=True)
class StatusTransition:
    """A row of SecondaryStatusTransitions; the open one has no end."""

    status: str
    message: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class FinalMetric:
    """The last value of a metric that a job's log held."""

    name: str
    value: float
    timestamp: datetime


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Record):
    """A training job. `request` is what was asked for with the defaults filled in."""

    request: Members
    implementation: Implementation
    artifact: str
    status: str = "InProgress"
    secondary: str = "Starting"
    transitions: tuple[StatusTransition, ...] = ()
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str | None = None
    final_metrics: tuple[FinalMetric, ...] = ()

    @property
    def state(self) -> str:
        """Both statuses, as the table has them."""
        return f"{self.status}/{self.secondary}"


@dataclass(frozen=True, kw_only=True)
class Model(Record):
    """A model: one container, for now."""

    request: Members
    implementation: Implementation


@dataclass(frozen=True, kw_only=True)
class EndpointConfig(Record):
    """An endpoint configuration."""

    request: Members

    @property
    def variants(self) -> Sequence[Members]:
        """The ProductionVariants."""
        variants: Sequence[Members] = self.request["ProductionVariants"]
        return variants


@dataclass(frozen=True)
class VariantStatus:
    """What is being done to a variant: a value of VariantStatus in the model, in words, and since when."""

    status: str
    message: str
    since: datetime


@dataclass(frozen=True)
class VariantSummary:
    """What DescribeEndpoint says of a variant, whether it serves or is being deployed."""

    name: str
    image: str
    resolved_image: str
    resolved: datetime
    instance_type: str
    routing: Members | None
    weight: float
    desired_weight: float
    instance_count: int
    desired_instance_count: int
    status: VariantStatus | None = None


@dataclass(frozen=True)
class PendingDeployment:
    """A configuration on its way into service, since when, and how far each of its variants is."""

    config: EndpointConfig
    since: datetime
    variants: tuple[VariantSummary, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint(Record):
    """An endpoint. It keeps the configuration it runs, which may be deleted meanwhile.

    `deployment_config` is the last DeploymentConfig that was asked for.
    """

    config: EndpointConfig
    status: str = "Creating"
    variants: tuple[VariantSummary, ...] = ()
    failure_reason: str | None = None
    pending: PendingDeployment | None = None
    deployment_config: Members | None = None

    @property
    def state(self) -> str:
        """The status."""
        return self.status
