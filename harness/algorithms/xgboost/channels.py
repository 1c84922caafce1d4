"""The channels of an XGBoost job: which there may be, and of which form. docs/notes/xgboost.md#channels."""

from collections.abc import Mapping

from harness.algorithms.contract import Channel
from harness.algorithms.xgboost.errors import PlatformError, UserError
from harness.algorithms.xgboost.versions import Version
from harness.formats.readers.xgboost.content_types import Format, check_channel, parse


def validate(channels: Mapping[str, Channel], version: Version) -> Format:
    """The format of a job's channels.

    UserError with the image's message for a missing or an unknown channel, DataRefused for a content type, input
    mode and distribution that do not go together. PlatformError for Pipe mode.
    """
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in ("train", "validation", "code"):
            raise UserError(f"Extraneous channel found: {name}")
        check_channel(name, channel.configuration)
    train = channels["train"]
    form = parse(train.content_type)
    if train.input_mode == "Pipe":
        _refuse_pipe(form, version)
    return form


def _refuse_pipe(form: Format, version: Version) -> None:
    if form is Format.CSV and version.has("pipe_mode_for_csv_dropped"):
        raise UserError(
            "Pipe mode for CSV is no longer supported. Please use Fast File mode (default) instead. "
            "Set input_mode='File' in your SageMaker Estimator or TrainingInput."
        )
    raise PlatformError("Pipe mode is not offered by this XGBoost; use input mode File")
