"""The work of an endpoint: starting the workers of a configuration, switching to them, ending the old ones."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.interruption import Interruption
from harness.cloud.runtime.fleet import STARTUP_SECONDS, Fleet, FleetSpec, FleetTools, Unhealthy
from harness.cloud.runtime.router import Route
from harness.cloud.sagemaker.lifecycle import Gone, moment
from harness.cloud.sagemaker.model_files import ExtractionFailed, ModelMissing, fetch_model
from harness.cloud.sagemaker.records import Endpoint, EndpointConfig, Model, VariantSummary
from harness.cloud.sagemaker.refusals import reason
from harness.cloud.sagemaker.service import AccountRegion, SageMaker
from harness.containers import opt_ml

# A request has 60 seconds (docs/notes/endpoints.md, "Updates"); none that the old fleet holds can be older.
DRAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Deployment:
    """A configuration to run, its models by name, and weights that differ from the configuration's."""

    config: EndpointConfig
    models: Mapping[str, Model]
    weights: Mapping[str, float] = field(default_factory=dict)


class DeploymentFailed(Exception):
    """Why the workers of a deployment cannot serve: the endpoint's FailureReason."""


class _Generation:
    """The fleets of one deployment with their model data. Everything is gone after `stop` or `kill`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fleets: list[Fleet] = []
        self._folders: list[Path] = []
        self._closed = False

    def add(self, fleet: Fleet, folder: Path) -> bool:
        """Own a fleet and its folder; False if this generation has been ended."""
        with self._lock:
            if not self._closed:
                self._fleets.append(fleet)
                self._folders.append(folder)
            return not self._closed

    def route(self) -> Route:
        return Route(tuple(fleet.route for fleet in self._fleets))

    def stop(self) -> None:
        self._end(Fleet.stop)

    def kill(self) -> None:
        self._end(Fleet.kill)

    def _end(self, how: Callable[[Fleet], None]) -> None:
        with self._lock:
            self._closed = True
            fleets, folders = list(self._fleets), list(self._folders)
        threads = [threading.Thread(target=how, args=(fleet,), daemon=True) for fleet in fleets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for folder in folders:
            opt_ml.remove_tree(folder)


class Hosting:
    """What one endpoint runs. Each method but `end` and `retire` is the work of one transition of the endpoint."""

    def __init__(self, service: SageMaker, state: AccountRegion, endpoint: Endpoint) -> None:
        self._service = service
        self._state = state
        self._endpoint = endpoint
        self._interruption = Interruption()
        self._idle = Interruption()
        # Guarded by the state's lock.
        self._generations: list[_Generation] = []
        self._serving: _Generation | None = None
        self._route: Route | None = None

    def create(self, deployment: Deployment) -> None:
        """Creating -> InService or Failed."""
        try:
            self._spend("create")
            generation = self._launch(deployment)
        except DeploymentFailed as failure:
            self._move(status="Failed", failure_reason=str(failure))
        except Gone:
            pass
        else:
            self._switch(generation)
            self._move(status="InService", variants=self._summaries(deployment))

    def update(self, deployment: Deployment) -> None:
        """Updating -> InService, with the new configuration or, if it cannot serve, with the old one."""
        try:
            self._spend("update")
            generation = self._launch(deployment)
        except DeploymentFailed as failure:
            self._move(
                status="InService", pending=None, pending_since=None, failure_reason=str(failure)
            )
            return
        except Gone:
            return
        old, old_route = self._serving, self._route
        self._switch(generation)
        if old is not None and old_route is not None:
            self._service.router.when_idle(old_route, self._idle.set)
            self._idle.pause(DRAIN_SECONDS, self._service.clock)
            self._idle = Interruption()
            self._drop(old, _Generation.stop)
        self._move(
            status="InService",
            config=deployment.config,
            pending=None,
            pending_since=None,
            variants=self._summaries(deployment),
        )

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Updating -> InService; every worker stays."""
        with self._state.changed:
            if self._route is not None:
                for route in self._route.variants:
                    route.weight = weights.get(route.name, route.weight)
            try:
                endpoint = self._state.endpoints.current(self._endpoint)
            except Gone:
                return
            self._move(
                status="InService",
                variants=tuple(
                    replace(variant, weight=weights.get(variant.name, variant.weight))
                    for variant in endpoint.variants
                ),
            )

    def retire(self) -> None:
        """Take no more requests."""
        state = self._state
        self._service.router.remove(state.account, state.region, self._endpoint.name)

    def delete(self) -> None:
        """Deleting -> gone, once every worker has ended."""
        self._spend("delete")
        with self._state.changed:
            generations = list(self._generations)
        for generation in generations:
            self._drop(generation, _Generation.stop)
        with self._state.changed:
            self._forget()
            try:
                self._state.endpoints.remove(self._endpoint)
            except Gone:
                return
            self._state.tags.pop(self._endpoint.arn, None)

    def end(self) -> None:
        """Kill every worker at once; for a reset or the end of the cloud."""
        self._interruption.set()
        self.retire()
        self._idle.set()
        with self._state.changed:
            generations = list(self._generations)
            self._forget()
        for generation in generations:
            generation.kill()

    def _launch(self, deployment: Deployment) -> _Generation:
        """Start every worker and wait until all are healthy. Raises DeploymentFailed or Gone; nothing is left then."""
        generation = _Generation()
        with self._state.changed:
            if self._interruption.is_set():
                raise Gone(self._endpoint.arn)
            self._generations.append(generation)
        try:
            for variant in deployment.config.variants:
                self._launch_variant(generation, deployment, variant)
        except Exception as error:
            self._drop(generation, _Generation.kill)
            if self._interruption.is_set():
                raise Gone(self._endpoint.arn) from error
            if isinstance(error, DeploymentFailed):
                raise
            self._service.on_fault(error)
            raise DeploymentFailed(reason("endpoint_internal")) from error
        return generation

    def _launch_variant(
        self, generation: _Generation, deployment: Deployment, variant: Mapping[str, Any]
    ) -> None:
        service, state, name = self._service, self._state, variant["VariantName"]
        model = deployment.models[variant["ModelName"]]
        container = model.request["PrimaryContainer"]
        folder = service.folder("model")
        fleet = Fleet(
            FleetSpec(
                account=state.account,
                region=state.region,
                endpoint=self._endpoint.name,
                variant=name,
                weight=deployment.weights.get(name, variant["InitialVariantWeight"]),
                image=container["Image"],
                program=model.implementation.program,
                environment=container.get("Environment", {}),
                model=folder,
                size=variant["InitialInstanceCount"],
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
            ),
        )
        if not generation.add(fleet, folder):
            opt_ml.remove_tree(folder)
            raise Gone(self._endpoint.arn)
        if container.get("ModelDataUrl"):
            self._fetch(model, container["ModelDataUrl"], folder)
        try:
            fleet.start(self._interruption)
        except Unhealthy:
            raise DeploymentFailed(
                reason("endpoint_ping_failed", container=fleet.spec.container, variant=name)
            ) from None

    def _fetch(self, model: Model, uri: str, folder: Path) -> None:
        # The service's own name for a lone container in these texts.
        fields = {"container": "container_1", "uri": uri}
        try:
            s3 = self._service.backing.role_client(
                "s3", self._state.region, model.request["ExecutionRoleArn"]
            )
            fetch_model(s3, uri, folder)
        except ExtractionFailed as error:
            raise DeploymentFailed(reason("endpoint_model_extraction_failed", **fields)) from error
        except (ModelMissing, ClientError, BotoCoreError) as error:
            raise DeploymentFailed(reason("endpoint_model_download_failed", **fields)) from error

    def _switch(self, generation: _Generation) -> None:
        """From now on every new request goes to `generation`."""
        state = self._state
        with state.changed:
            if self._interruption.is_set():
                return
            route = generation.route()
            self._service.router.switch(state.account, state.region, self._endpoint.name, route)
            self._serving, self._route = generation, route

    def _drop(self, generation: _Generation, how: Callable[[_Generation], None]) -> None:
        how(generation)
        with self._state.changed:
            if generation in self._generations:
                self._generations.remove(generation)

    def _forget(self) -> None:
        self._state.hostings.pop(self._endpoint.serial, None)

    def _move(self, **changes: Any) -> None:
        with contextlib.suppress(Gone):
            self._state.endpoints.move(self._endpoint, **changes)

    def _spend(self, phase: str) -> None:
        self._service.pace.spend(f"endpoint.{phase}", self._service.clock, self._interruption)

    def _summaries(self, deployment: Deployment) -> tuple[VariantSummary, ...]:
        now = moment(self._service.clock)
        summaries = []
        for variant in deployment.config.variants:
            image = deployment.models[variant["ModelName"]].request["PrimaryContainer"]["Image"]
            summaries.append(
                VariantSummary(
                    name=variant["VariantName"],
                    image=image,
                    resolved_image=_resolved(image),
                    resolved=now,
                    weight=deployment.weights.get(
                        variant["VariantName"], variant["InitialVariantWeight"]
                    ),
                    instance_count=variant["InitialInstanceCount"],
                )
            )
        return tuple(summaries)


def _resolved(image: str) -> str:
    """The image with a digest. No image is pulled, so the digest is that of its name."""
    head, _, last = image.rpartition("/")
    repository = last.partition("@")[0].partition(":")[0]
    digest = hashlib.sha256(image.encode()).hexdigest()
    return f"{head}/{repository}@sha256:{digest}" if head else f"{repository}@sha256:{digest}"
