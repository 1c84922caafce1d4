"""What each algorithm would do with a file: decided by the readers with which it trains."""

from collections.abc import Iterator

from harness.checks.inspection.report import LINEAR_LEARNER, XGBOOST_0_72, Verdict
from harness.checks.requests import LARGEST_REQUEST
from harness.formats.diagnosis import say
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.first_party import content_types as first_party_types
from harness.formats.readers.first_party import requests as first_party_requests
from harness.formats.readers.first_party.channels import labeled
from harness.formats.readers.refusal import DataRefused, RequestRefused
from harness.formats.readers.xgboost import channels as xgboost_channels
from harness.formats.readers.xgboost import content_types as xgboost_types
from harness.formats.readers.xgboost import first_lines
from harness.formats.readers.xgboost import requests as xgboost_requests

CHANNEL = "/opt/ml/input/data/train"

_CLIENT_ERROR = "FailureReason: ClientError: "
_FRAMEWORK_ERROR = "FailureReason: AlgorithmError: framework error: (a traceback, and then)\n"


_CHANNEL_TYPES = (first_party_types.RECORDIO, first_party_types.CSV)
_REQUEST_TYPES = (*_CHANNEL_TYPES, first_party_types.JSON, first_party_types.JSON_LINES)


class _Gathered:
    """The lines that a reader would have logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str) -> None:
        self.lines.append(message)

    warning = error = info


def training(algorithm: str, file: DataFile, content_type: str) -> Verdict:
    """What becomes of a training job whose one channel, `train`, has this file and nothing else in it."""
    if algorithm == LINEAR_LEARNER:
        return _linear_learner(file, content_type)
    return _xgboost(algorithm, file, content_type)


def inference(algorithm: str, file: DataFile, content_type: str) -> Verdict:
    """What an endpoint, whose model has as many features as the file, answers when the file is the request."""
    if algorithm == LINEAR_LEARNER:
        takes = first_party_types.parse(content_type).name in _REQUEST_TYPES
    else:
        takes = _xgboost_takes(content_type)
    if not file.size:
        return Verdict(algorithm, False, takes, "an empty answer", "HTTP 204: ")
    with file.open() as stream:
        body = stream.read(LARGEST_REQUEST + 1)
    if len(body) > LARGEST_REQUEST:
        return Verdict(algorithm, False, takes, "Request Entity Too Large", "HTTP 413: ")
    try:
        if algorithm == LINEAR_LEARNER:
            rows = first_party_requests.features(body, content_type)
            first_party_requests.check_finite(rows)
        else:
            xgboost_requests.features(body, content_type)
    except RequestRefused as refused:
        said_as = f"HTTP {refused.status}: "
        return Verdict(algorithm, False, takes, refused.text, said_as, refused.reason)
    return Verdict(algorithm, True)


def _xgboost_takes(content_type: str) -> bool:
    return xgboost_types.parse_header(content_type.lower())[0] in xgboost_types.ACCEPTED


def _linear_learner(file: DataFile, content_type: str) -> Verdict:
    takes = first_party_types.parse(content_type).name in _CHANNEL_TYPES
    try:
        _exhaust(labeled([file], content_type, float32_only=True))
    except DataRefused as refused:
        # As the framework puts it together: the class of the exception below goes into the first line.
        text, log = refused.text, ""
        if refused.cause is not None:
            kind, log = refused.cause
            text += f" (caused by {kind})"
        return Verdict(LINEAR_LEARNER, False, takes, text, _CLIENT_ERROR, log)
    return Verdict(LINEAR_LEARNER, True)


def _xgboost(algorithm: str, file: DataFile, content_type: str) -> Verdict:
    notes = _Gathered()
    takes = _xgboost_takes(content_type)
    as_0_72 = algorithm == XGBOOST_0_72
    try:
        _read_by_xgboost(file, content_type, notes, as_0_72=as_0_72)
    except DataRefused as refused:
        said_as = _CLIENT_ERROR if as_0_72 else _FRAMEWORK_ERROR
        return Verdict(
            algorithm, False, takes, refused.text, said_as, notes=tuple(dict.fromkeys(notes.lines))
        )
    return Verdict(algorithm, True, notes=tuple(dict.fromkeys(notes.lines)))


def _read_by_xgboost(file: DataFile, content_type: str, notes: _Gathered, *, as_0_72: bool) -> None:
    xgboost_types.check_channel(
        "train",
        {
            "ContentType": content_type,
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
    )
    form = xgboost_types.parse(content_type)
    if file.name.startswith("."):
        raise DataRefused(say("xgboost_hidden_file"))
    if not file.size:
        raise DataRefused(say("xgboost_no_data", channel="training", path=CHANNEL))
    if not file.name.startswith("_"):
        first_lines.check(file, form, notes, as_0_72=as_0_72)
    found = xgboost_channels.read([file], form, notes)
    if not isinstance(found, str):
        _exhaust(found)


def _exhaust(batches: Iterator[object]) -> None:
    for _ in batches:
        pass
