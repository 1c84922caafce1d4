"""The steps of a lesson (training, deploying, invoking, ...) with their seconds, read off its AWS calls."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.runs.calls import Call

_MOVING = frozenset({"InProgress", "Stopping", "Creating", "Updating", "RollingBack", "Deleting"})
_BAD = frozenset({"Failed", "UpdateRollbackFailed"})


@dataclass(frozen=True)
class Step:
    """Something that the lesson did. `seconds` is wall time; `count` the calls that it took."""

    verb: str
    subject: str
    started: float
    seconds: float = 0.0
    count: int = 1
    status: str = ""
    ended: bool = False
    detail: str = ""

    @property
    def failed(self) -> bool:
        """Whether what it worked on ended badly."""
        return self.status in _BAD


class Steps:
    """Makes steps of calls; `changed` is told whenever one begins, changes or ends."""

    def __init__(
        self,
        changed: Callable[[Step], None] = lambda _step: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        # The clock of `time.monotonic` when the run is a real one: `Step.started` is shown by it.
        self._clock = clock
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._open: dict[tuple[str, str], int] = {}
        #: Statuses in the order in which they were seen, per (kind, name).
        self.statuses: dict[tuple[str, str], list[str]] = {}

    def __call__(self, call: Call) -> None:
        """Take one call into account."""
        rule = _RULES.get((call.service, call.operation))
        if rule is not None:
            with self._lock:
                changed = rule(self, call)
            if changed is not None:
                self._changed(changed)

    def finish(self) -> list[Step]:
        """End what is still open, and all steps in the order in which they began."""
        with self._lock:
            for key in list(self._open):
                index = self._open.pop(key)
                # Nobody looked at it again: as far as the lesson saw, it took this long.
                self._steps[index] = replace(self._steps[index], ended=True)
            return list(self._steps)

    def _begin(self, verb: str, subject: str, call: Call, status: str = "") -> Step:
        self._open[verb, subject] = len(self._steps)
        started = self._clock() - call.seconds
        self._steps.append(Step(verb, subject, started, call.seconds, status=status))
        return self._steps[-1]

    def _update(self, key: tuple[str, str], **changes: Any) -> Step:
        index = self._open[key]
        step = self._steps[index]
        self._steps[index] = replace(step, seconds=self._clock() - step.started, **changes)
        return self._steps[index]

    def _end(self, key: tuple[str, str], **changes: Any) -> Step:
        ended = self._update(key, ended=True, **changes)
        del self._open[key]
        return ended

    def _see(self, kind: str, name: str, status: str) -> None:
        seen = self.statuses.setdefault((kind, name), [])
        if not seen or seen[-1] != status:
            seen.append(status)

    def _run_of_calls(self, verb: str, call: Call, subject: str) -> Step:
        """Calls of one kind in a row are one step, from the first to the last."""
        key = (verb, subject)
        if key not in self._open:
            for other in [k for k in self._open if k[0] in _RUNS]:
                index = self._open.pop(other)
                self._steps[index] = replace(self._steps[index], ended=True)
            return self._begin(verb, subject, call, call.error or "")
        step = self._steps[self._open[key]]
        return self._update(key, count=step.count + 1, status=call.error or step.status)


_RUNS = ("uploading to", "invoking")


def _created_job(steps: Steps, call: Call) -> Step | None:
    name = str(call.parameters.get("TrainingJobName"))
    return None if call.error else steps._begin("training", name, call, "InProgress")


def _described_job(steps: Steps, call: Call) -> Step | None:
    if call.error:
        return None
    name = str(call.parameters.get("TrainingJobName"))
    status = str(call.answer["TrainingJobStatus"])
    steps._see("training_job", name, status)
    key = ("training", name)
    if key not in steps._open:
        return None
    detail = str(call.answer.get("FailureReason") or call.answer.get("SecondaryStatus") or "")
    if status in _MOVING:
        return steps._update(key, status=status, detail=detail)
    return steps._end(key, status=status, detail=detail)


def _created_endpoint(steps: Steps, call: Call) -> Step | None:
    name = str(call.parameters.get("EndpointName"))
    return None if call.error else steps._begin("deploying", name, call, "Creating")


def _updated_endpoint(steps: Steps, call: Call) -> Step | None:
    name = str(call.parameters.get("EndpointName"))
    return None if call.error else steps._begin("updating", name, call, "Updating")


def _deleted_endpoint(steps: Steps, call: Call) -> Step | None:
    name = str(call.parameters.get("EndpointName"))
    return None if call.error else steps._begin("deleting", name, call, "Deleting")


def _described_endpoint(steps: Steps, call: Call) -> Step | None:
    name = str(call.parameters.get("EndpointName"))
    if call.error:
        key = ("deleting", name)
        return steps._end(key, status="gone") if key in steps._open else None
    status = str(call.answer["EndpointStatus"])
    steps._see("endpoint", name, status)
    for verb in ("deleting", "updating", "deploying"):
        key = (verb, name)
        if key in steps._open:
            detail = str(call.answer.get("FailureReason") or "")
            if status in _MOVING:
                return steps._update(key, status=status, detail=detail)
            if verb != "deleting":
                return steps._end(key, status=status, detail=detail)
    return None


def _invoked(steps: Steps, call: Call) -> Step:
    return steps._run_of_calls("invoking", call, str(call.parameters.get("EndpointName")))


def _uploaded(steps: Steps, call: Call) -> Step:
    return steps._run_of_calls("uploading to", call, f"s3://{call.parameters.get('Bucket')}")


_RULES: dict[tuple[str, str], Callable[[Steps, Call], Step | None]] = {
    ("sagemaker", "CreateTrainingJob"): _created_job,
    ("sagemaker", "DescribeTrainingJob"): _described_job,
    ("sagemaker", "CreateEndpoint"): _created_endpoint,
    ("sagemaker", "UpdateEndpoint"): _updated_endpoint,
    ("sagemaker", "DeleteEndpoint"): _deleted_endpoint,
    ("sagemaker", "DescribeEndpoint"): _described_endpoint,
    ("sagemaker-runtime", "InvokeEndpoint"): _invoked,
    ("s3", "PutObject"): _uploaded,
    ("s3", "UploadPart"): _uploaded,
}
