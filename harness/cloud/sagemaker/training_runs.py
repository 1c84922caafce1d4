"""The work of a training job: data in, container run, artifacts out; stopping it, and never losing it."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.clock import Timer
from harness.cloud.interruption import Interruption
from harness.cloud.runtime.stopping import stop_within
from harness.cloud.sagemaker import failure_reasons
from harness.cloud.sagemaker.lifecycle import Gone, moment
from harness.cloud.sagemaker.metrics import MetricScanner
from harness.cloud.sagemaker.records import TRAINING_JOB, StatusTransition, TrainingJob
from harness.cloud.sagemaker.refusals import reason
from harness.cloud.sagemaker.service import AccountRegion, SageMaker
from harness.cloud.sagemaker.training_files import (
    DownloadFailed,
    UploadFailed,
    download_channels,
    upload_artifacts,
    write_tree,
)
from harness.containers import opt_ml
from harness.containers.spec import Container, ContainerSpec, LogLine

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
GRACE_SECONDS = 120.0
HOST = "algo-1"

# StatusMessage of each secondary status, in the order in which they are shown (docs/notes/training-jobs.md).
STARTING = (
    "Starting the training job",
    "Launching requested ML instances",
    "Preparing the instances for training",
)
DOWNLOADING = ("Downloading input data", "Downloading the training image")
TRAINING = "Training image download completed. Training in progress."
UPLOADING = "Uploading generated training model"
STOPPING = "Stopping the training job"
ENDINGS = {
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job runtime exceeded MaxWaitTimeInSeconds provided",
}


class _Failed(Exception):
    """The job fails with this reason."""


class _Stopped(Exception):
    """The job was stopped before it had anything to upload."""


class TrainingRun:
    """One job's run. `run` is called once, in a thread of its own; the other methods from any thread."""

    def __init__(self, service: SageMaker, state: AccountRegion, job: TrainingJob) -> None:
        self._service = service
        self._state = state
        self._jobs = state.training_jobs
        self._job = job
        self._interruption = Interruption()
        # Guarded by the state's lock.
        self._begun = False
        self._ending: str | None = None
        self._killed = False
        self._container: Container | None = None
        self._timers: list[Timer] = []
        self._finished = threading.Event()
        if job.request["EnableManagedSpotTraining"]:
            max_wait = job.request["StoppingCondition"]["MaxWaitTimeInSeconds"]
            self._timers.append(
                service.clock.call_later(max_wait, lambda: self.stop("MaxWaitTimeExceeded"))
            )

    # From outside.

    def stop(self, ending: str) -> None:
        """Ask the job to stop; it will end as Stopped with the secondary status `ending`. Does not wait."""
        with self._state.changed:
            try:
                job = self._jobs.current(self._job)
            except Gone:
                return
            if job.status != "InProgress":
                return
            self._ending = ending
            self._enter("Stopping", STOPPING, status="Stopping")
            container = self._container
            if not self._begun:
                self._finish("Stopped", ending)
                self._forget()
        self._interruption.set()
        if container is not None:
            self._stop_container(container)

    def end(self) -> None:
        """Kill what runs and wait until the run is over; for a reset or the end of the cloud."""
        with self._state.changed:
            self._killed = True
            begun, container = self._begun, self._container
        self._interruption.set()
        if container is not None:
            container.kill()
        if begun:
            self._finished.wait()
        self._forget()

    # In the run's own thread.

    def run(self) -> None:
        """The whole run. Whatever goes wrong, the job ends in a terminal state."""
        with self._state.changed:
            if self._killed or self._ending is not None:
                return
            self._begun = True
        root = self._service.folder("training")
        try:
            self._run(root)
        except Gone:
            pass
        except _Stopped:
            self._complete()
        except _Failed as failure:
            self._fail(str(failure))
        except Exception as error:
            if not self._killed:
                self._service.on_fault(error)
            self._fail(reason("failure_internal"))
        finally:
            opt_ml.remove_tree(root)
            self._forget()
            self._finished.set()

    def _run(self, root: Path) -> None:
        for message, phase in zip(STARTING[1:], ("launch", "prepare"), strict=True):
            self._message(message)
            self._spend(phase)
        s3 = self._client()
        self._advance("Downloading", DOWNLOADING[0])
        max_runtime = self._job.request["StoppingCondition"]["MaxRuntimeInSeconds"]
        timer = self._service.clock.call_later(max_runtime, lambda: self.stop("MaxRuntimeExceeded"))
        self._timers.append(timer)
        write_tree(root, self._job)
        try:
            download_channels(s3, root, self._job, self._interruption.is_set)
        except DownloadFailed as error:
            with self._state.changed:
                self._going()
            raise _Failed(reason("failure_download", cause=error)) from error
        self._spend("download")
        self._message(DOWNLOADING[1])
        self._spend("image")
        self._advance("Training", TRAINING)
        failure = self._train(root)
        timer.cancel()
        self._upload(s3, root)
        with self._state.changed:
            if failure is not None and self._ending is None:
                raise _Failed(failure)
            self._complete()

    def _train(self, root: Path) -> str | None:
        """Run the container; the reason if it failed."""
        job, state, service = self._job, self._state, self._service
        stream = f"{job.name}/{HOST}-{int(self._now().timestamp())}"
        definitions = job.request["AlgorithmSpecification"].get("MetricDefinitions", ())
        scanner = MetricScanner(
            [(definition["Name"], definition["Regex"]) for definition in definitions], self._now
        )

        def sink(lines: Sequence[LogLine]) -> None:
            service.logs.put(state.account, state.region, LOG_GROUP, stream, lines)
            scanner.feed(lines)

        service.logs.open(state.account, state.region, LOG_GROUP, stream)
        container = service.engine.start(
            ContainerSpec(
                name=job.name,
                image=job.request["AlgorithmSpecification"]["TrainingImage"],
                program=job.implementation.program,
                command="train",
                environment=opt_ml.training_environment(
                    root,
                    job_name=job.name,
                    job_arn=job.arn,
                    region=state.region,
                    environment=job.request.get("Environment"),
                ),
                root=root,
            ),
            sink,
        )
        with state.changed:
            self._container = container
            killed, stopping = self._killed, self._ending is not None
        if killed:
            container.kill()
        elif stopping:
            self._stop_container(container)
        exit = container.wait()
        service.logs.finish(state.account, state.region, LOG_GROUP, stream)
        assert exit is not None, "wait without a limit returns an Exit"
        with state.changed:
            self._container = None
            if self._killed:
                raise Gone(job.arn)
            self._jobs.move(job, final_metrics=scanner.final)
        return None if exit.ok else failure_reasons.of_training(exit, opt_ml.read_failure(root))

    def _upload(self, s3: Any, root: Path) -> None:
        self._enter("Uploading", UPLOADING)
        self._spend("upload")
        try:
            upload_artifacts(s3, root, self._job)
        except UploadFailed as error:
            raise _Failed(reason("failure_upload", cause=error)) from error

    def _client(self) -> Any:
        """S3 as the job's role sees it."""
        try:
            return self._service.backing.role_client(
                "s3", self._state.region, self._job.request["RoleArn"]
            )
        except (ClientError, BotoCoreError) as error:
            raise _Failed(reason("failure_role")) from error

    def _stop_container(self, container: Container) -> None:
        def stop() -> None:
            stop_within(container, GRACE_SECONDS, self._service.clock)

        self._service.background.start(f"stop {self._job.name}", stop)

    def _spend(self, phase: str) -> None:
        self._service.pace.spend(f"training.{phase}", self._service.clock, self._interruption)

    # Moves. Each takes the state's lock.

    def _now(self) -> datetime:
        return moment(self._service.clock)

    def _going(self) -> TrainingJob:
        """The job, which is neither stopped nor gone; the caller holds the lock."""
        job = self._jobs.current(self._job)
        if self._killed:
            raise Gone(job.arn)
        if self._ending is not None:
            raise _Stopped
        return job

    def _message(self, message: str) -> None:
        """Overwrite the message of the open row."""
        with self._state.changed:
            job = self._going()
            rows = (*job.transitions[:-1], replace(job.transitions[-1], message=message))
            self._jobs.move(job, transitions=rows)

    def _advance(self, secondary: str, message: str) -> None:
        """Begin the next row, unless the job was stopped."""
        with self._state.changed:
            self._going()
            self._enter(secondary, message)

    def _enter(self, secondary: str, message: str, **changes: Any) -> None:
        """Close the open row and begin another."""
        with self._state.changed:
            job = self._jobs.current(self._job)
            now = max(self._now(), job.transitions[-1].start)
            rows = (
                *job.transitions[:-1],
                replace(job.transitions[-1], end=now),
                StatusTransition(secondary, message, now),
            )
            if secondary == "Downloading":
                changes["started"] = now
            self._jobs.move(job, secondary=secondary, transitions=rows, **changes)

    def _complete(self) -> None:
        with self._state.changed:
            if self._ending is None:
                self._finish("Completed", "Completed")
            else:
                self._finish("Stopped", self._ending)

    def _fail(self, text: str) -> None:
        with self._state.changed:
            try:
                if not TRAINING_JOB.terminal(self._jobs.current(self._job).state):
                    self._finish("Failed", "Failed", failure_reason=text)
            except Gone:
                pass

    def _finish(self, status: str, secondary: str, **changes: Any) -> None:
        """Enter a terminal state: its row begins and ends at once."""
        job = self._jobs.current(self._job)
        now = max(self._now(), job.transitions[-1].start)
        rows = (
            *job.transitions[:-1],
            replace(job.transitions[-1], end=now),
            StatusTransition(secondary, ENDINGS[secondary], now, now),
        )
        self._jobs.move(
            job,
            status=status,
            secondary=secondary,
            transitions=rows,
            ended=now if job.started else None,
            **changes,
        )

    def _forget(self) -> None:
        for timer in self._timers:
            timer.cancel()
        with self._state.changed:
            self._state.training_runs.pop(self._job.serial, None)
