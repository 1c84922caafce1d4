"""What one deployment runs: the fleets of its variants, with their model data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.interruption import Interruption
from harness.cloud.parallel import in_parallel
from harness.cloud.runtime.fleet import Fleet, FleetTools
from harness.cloud.runtime.instances import STARTUP_SECONDS, Unhealthy, VariantSpec
from harness.cloud.runtime.router import RANDOM
from harness.cloud.sagemaker.model_files import ExtractionFailed, ModelMissing, fetch_model
from harness.cloud.sagemaker.records import EndpointConfig, Model
from harness.cloud.sagemaker.refusals import reason
from harness.cloud.sagemaker.service import AccountRegion, SageMaker
from harness.containers import opt_ml


@dataclass(frozen=True)
class Deployment:
    """A configuration to run, its models by name, and the weight and the instance count of each variant."""

    config: EndpointConfig
    models: Mapping[str, Model]
    weights: Mapping[str, float]
    counts: Mapping[str, int]

    def model_of(self, variant: Mapping[str, Any]) -> Model:
        """The model that a variant serves."""
        return self.models[variant["ModelName"]]


class DeploymentFailed(Exception):
    """Why a deployment cannot serve: the endpoint's FailureReason."""


class Generation:
    """The fleets of one deployment, by variant. Everything is gone after `stop` or `kill`.

    `weights` are those in force; they are changed under the state's lock only.
    """

    def __init__(
        self, service: SageMaker, state: AccountRegion, endpoint: str, deployment: Deployment
    ) -> None:
        self.deployment = deployment
        self.weights = dict(deployment.weights)
        self._service = service
        self._state = state
        variants = {v["VariantName"]: v for v in deployment.config.variants}
        self._folders = {name: service.folder("model") for name in variants}
        self.fleets = {
            name: self._fleet(endpoint, variant, self._folders[name])
            for name, variant in variants.items()
        }

    @property
    def sizes(self) -> dict[str, int]:
        """How many instances each variant has."""
        return {name: fleet.size for name, fleet in self.fleets.items()}

    def fetch(self) -> None:
        """Bring the model data here. Raises DeploymentFailed."""
        in_parallel([partial(self._fetch, v) for v in self.deployment.config.variants])

    def grow(
        self,
        sizes: Mapping[str, int],
        interruption: Interruption,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Have at least so many instances of each variant, all healthy. Raises DeploymentFailed."""
        # When one variant cannot be healthy there is no use in waiting for the others.
        given_up = Interruption()
        given_up.follow(interruption)
        failures: list[BaseException] = []

        def grow(fleet: Fleet, size: int) -> None:
            try:
                fleet.grow(size, given_up, changed)
            except BaseException as error:
                failures.append(error)
                given_up.set()

        in_parallel([partial(grow, self.fleets[name], size) for name, size in sizes.items()])
        if failures:
            raise self._explained(failures[0])

    def shrink(self, sizes: Mapping[str, int], deadline: datetime) -> None:
        """Have at most so many instances of each variant; requests may finish until `deadline`."""
        in_parallel(
            [partial(self.fleets[name].shrink, size, deadline) for name, size in sizes.items()]
        )

    def drain(self, deadline: datetime) -> None:
        """End every instance; requests may finish until `deadline`."""
        self.shrink(dict.fromkeys(self.fleets, 0), deadline)
        self.stop()

    def stop(self) -> None:
        """End every instance as the platform does."""
        self._end(Fleet.stop)

    def kill(self) -> None:
        """End every instance at once."""
        self._end(Fleet.kill)

    def _end(self, how: Callable[[Fleet], None]) -> None:
        in_parallel([partial(how, fleet) for fleet in self.fleets.values()])
        for folder in self._folders.values():
            opt_ml.remove_tree(folder)

    def _fleet(self, endpoint: str, variant: Mapping[str, Any], folder: Path) -> Fleet:
        service, state = self._service, self._state
        model = self.deployment.model_of(variant)
        container = model.request["PrimaryContainer"]
        return Fleet(
            VariantSpec(
                account=state.account,
                region=state.region,
                endpoint=endpoint,
                variant=variant["VariantName"],
                image=container["Image"],
                program=model.implementation.program,
                environment=container.get("Environment", {}),
                model=folder,
                strategy=variant.get("RoutingConfig", {}).get("RoutingStrategy", RANDOM),
                startup_seconds=variant.get(
                    "ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS
                ),
            ),
            FleetTools(
                engine=service.engine,
                clock=service.clock,
                logs=service.logs,
                folder=service.folder,
                start_thread=service.background.start,
                router=service.router,
            ),
        )

    def _explained(self, failure: BaseException) -> BaseException:
        if not isinstance(failure, Unhealthy):
            return failure
        spec = self.fleets[failure.variant].spec
        return DeploymentFailed(
            reason("endpoint_ping_failed", container=spec.container, variant=spec.variant)
        )

    def _fetch(self, variant: Mapping[str, Any]) -> None:
        model = self.deployment.model_of(variant)
        uri = model.request["PrimaryContainer"].get("ModelDataUrl")
        if not uri:
            return
        # The service's own name for a lone container in these texts.
        fields = {"container": "container_1", "uri": uri}
        try:
            s3 = self._service.backing.role_client(
                "s3", self._state.region, model.request["ExecutionRoleArn"]
            )
            fetch_model(s3, uri, self._folders[variant["VariantName"]])
        except ExtractionFailed as error:
            raise DeploymentFailed(reason("endpoint_model_extraction_failed", **fields)) from error
        except (ModelMissing, ClientError, BotoCoreError) as error:
            raise DeploymentFailed(reason("endpoint_model_download_failed", **fields)) from error
