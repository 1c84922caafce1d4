"""A training job: hyperparameters and channels checked, data read, xgboost's own training, the model saved."""

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xgboost as xgb

from harness.algorithms.contract import Job, JobFailure
from harness.algorithms.xgboost import boosting, channels, data, errors, files, hyperparameters
from harness.algorithms.xgboost.errors import PlatformError, UserError
from harness.algorithms.xgboost.log import Log
from harness.algorithms.xgboost.versions import Version, all_versions, by_tag
from harness.formats.diagnosis import say
from harness.formats.readers.xgboost.content_types import Format

_PREFIX = "sagemaker-containers"


def train(job: Job) -> None:
    """Train the job's model; JobFailure with what the image of this version would say."""
    version = resolve(job.version)
    log = Log(version)
    try:
        with _default_sigterm() as contract_handler:
            _train(job, version, log, contract_handler)
    except Exception as error:
        failure = errors.failure(error, version)
        if not version.has("customer_errors"):
            log.error("Reporting training FAILURE", _PREFIX)
        log.error(failure.text, _PREFIX)
        raise failure from error


def resolve(tag: str | None) -> Version:
    """The version of an image tag, the newest when there is none; JobFailure for one that does not exist."""
    if tag is None:
        return all_versions()[-1]
    try:
        return by_tag(tag)
    except KeyError as error:
        raise JobFailure(f"Platform Error: {error.args[0]}", 3) from None


@contextmanager
def _default_sigterm() -> Iterator[Any]:
    """SIGTERM ends the program at once, as it does in the image; gives the contract's handler for later."""
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    previous = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield previous
    finally:
        signal.signal(signal.SIGTERM, previous)


def _train(job: Job, version: Version, log: Log, contract_handler: Any) -> None:
    _announce(job, version, log)
    parameters = hyperparameters.validate(job.hyperparameters, version)
    form = channels.validate(job.channels, version)
    if (job.base / "input" / "config" / "checkpointconfig.json").exists():
        raise PlatformError("CheckpointConfig: checkpoints are not offered by this XGBoost")
    if len(job.resources.hosts) > 1:
        raise PlatformError(
            f"InstanceCount {len(job.resources.hosts)}: training on several hosts is not offered by this XGBoost"
        )
    rows = hyperparameters.known(version)
    for name in parameters:
        if rows[name].ignored:
            log.warning(f"Hyperparameter {name} has no effect here: {rows[name].ignored}.")
    train_matrix, validation = _matrices(job, form, parameters, version, log)
    if parameters.get("save_model_on_termination") == "true" and contract_handler is not None:
        signal.signal(signal.SIGTERM, contract_handler)
    plan = boosting.plan(parameters, version, train_matrix, validation is not None, log)
    if not version.has("customer_errors"):
        columns = (
            f" and {train_matrix.num_col()} columns" if version.has("column_count_in_log") else ""
        )
        log.info(f"Train matrix has {train_matrix.num_row()} rows{columns}")
        if validation is not None:
            log.info(f"Validation matrix has {validation.num_row()} rows")
    boosting.run(plan, train_matrix, validation, job, version, log)


def _announce(job: Job, version: Version, log: Log) -> None:
    if version.has("customer_errors"):
        log.plain("Arguments: train")
        log.info("Running standalone xgboost training.")
        return
    log.info("Imported framework sagemaker_xgboost_container.training", _PREFIX)
    for name, text in job.hyperparameters.items():
        try:
            json.loads(text)
        except ValueError:
            log.info(
                f"Failed to parse hyperparameter {name} value {text} to Json.\nReturning the value itself",
                _PREFIX,
            )
    log.info("No GPUs detected (normal if no gpus installed)", _PREFIX)
    if "sagemaker_program" not in job.hyperparameters:
        log.info(
            "Running XGBoost Sagemaker in algorithm mode", "sagemaker_xgboost_container.training"
        )


def _matrices(
    job: Job, form: Format, parameters: Mapping[str, Any], version: Version, log: Log
) -> tuple[xgb.DMatrix, xgb.DMatrix | None]:
    def show(path: Path) -> str:
        return str(Path("/opt/ml") / path.relative_to(job.base))

    train = job.channels["train"].path
    validation = job.channels["validation"].path if "validation" in job.channels else None
    if validation is not None and version.has("redundancy_warning"):
        files.warn_of_redundancy(train, validation, show, log)
    if version.has("gpu_count_in_log"):
        log.info("Determined 0 GPU(s) available on the instance.")
    paths = [path for path in (train, validation) if path is not None]
    filled = [path for path in paths if files.size(path, show, log)]
    for path in filled:
        files.check_first_lines(path, form, version, log)
    weights = bool(parameters.get("csv_weights", 0))
    read = {
        path: data.matrix(
            files.to_read(path, version, show, log),
            form,
            csv_weights=weights,
            scratch=job.base,
            log=log,
        )
        for path in filled
    }
    if train not in read:
        raise UserError(say("xgboost_no_data", channel="training", path=show(train)))
    if validation is not None and validation not in read:
        raise UserError(say("xgboost_no_data", channel="validation", path=show(validation)))
    if version.has("customer_errors"):
        for path, matrix in read.items():
            log.plain(
                f"{matrix.num_row()}x{matrix.num_col()} matrix with {matrix.num_nonmissing()} entries "
                f"loaded from {show(path)}"
            )
    else:
        log.info("Single node training.")
    return read[train], read.get(validation) if validation is not None else None
