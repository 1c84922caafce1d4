"""Finds the log line that explains a failure, in CloudWatch Logs, as a learner would."""

import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.runs.results import Explanation
from harness.runs.steps import Step

_EVENTS = 200
# Lines that belong to one which ends with a colon.
_CONTINUED = 3
# What containers print when they give up, the most telling first.
_TELLING = (
    re.compile(r"(Customer|Algorithm|Platform) Error:"),
    re.compile(r"^\S*(Error|Exception)\b.*:"),
    re.compile(r"\bERROR\b|\bCRITICAL\b"),
    re.compile(r"error|exception|traceback|killed", re.IGNORECASE),
)


def explain(logs: Any, steps: Iterable[Step]) -> list[Explanation]:
    """For each step whose job or endpoint failed, the most telling line of its newest stream."""
    found = []
    for step in steps:
        if step.failed:
            explanation = _explain(logs, step)
            if explanation is not None:
                found.append(explanation)
    return found


def telling_line(lines: Iterable[str]) -> str | None:
    """The last line of the most telling kind, with what it goes on to say; failing that the last line."""
    kept = [line.rstrip() for line in lines if line.strip()]
    for pattern in _TELLING:
        for index in reversed(range(len(kept))):
            if pattern.search(kept[index]):
                more = _CONTINUED if kept[index].endswith(":") else 0
                return "\n".join(kept[index : index + 1 + more])
    return kept[-1] if kept else None


def _explain(logs: Any, step: Step) -> Explanation | None:
    training = step.verb == "training"
    group = (
        "/aws/sagemaker/TrainingJobs" if training else f"/aws/sagemaker/Endpoints/{step.subject}"
    )
    prefix = {"logStreamNamePrefix": f"{step.subject}/"} if training else {}
    try:
        streams = logs.describe_log_streams(logGroupName=group, **prefix)["logStreams"]
        for stream in sorted(streams, key=lambda one: -int(one.get("lastEventTimestamp", 0))):
            name = stream["logStreamName"]
            events = logs.get_log_events(
                logGroupName=group, logStreamName=name, limit=_EVENTS, startFromHead=False
            )["events"]
            line = telling_line(event["message"] for event in events)
            if line is not None:
                return Explanation(group, name, line)
    except (ClientError, BotoCoreError):
        return None
    return None
