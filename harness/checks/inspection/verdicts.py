"""What each algorithm would do with a file: decided by the readers with which it trains."""

from collections.abc import Iterator

from harness.checks.inspection.report import (
    LINEAR_LEARNER,
    XGBOOST_0_72,
    Verdict,
)
from harness.formats.diagnosis import say
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.first_party import content_types as first_party_types
from harness.formats.readers.first_party.channels import labeled
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import channels as xgboost_channels
from harness.formats.readers.xgboost import content_types as xgboost_types
from harness.formats.readers.xgboost import first_lines

CHANNEL = "/opt/ml/input/data/train"

_CLIENT_ERROR = "FailureReason: ClientError: "
_FRAMEWORK_ERROR = "FailureReason: AlgorithmError: framework error: (a traceback, then) "


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


def _linear_learner(file: DataFile, content_type: str) -> Verdict:
    name = first_party_types.parse(content_type).name
    takes = name in (first_party_types.RECORDIO, first_party_types.CSV)
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
    takes = xgboost_types.parse_header(content_type.lower())[0] in xgboost_types.ACCEPTED
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
