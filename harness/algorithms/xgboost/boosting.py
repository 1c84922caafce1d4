"""xgboost's training as the image calls it: parameters, metrics, early stopping, the lines of the log."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb

from harness.algorithms.contract import Job
from harness.algorithms.xgboost import artifact, custom_metrics, hyperparameters, metrics
from harness.algorithms.xgboost.errors import AlgorithmError, UserError, without_stack
from harness.algorithms.xgboost.log import Log
from harness.algorithms.xgboost.versions import Version

# Parts of messages that the image passes on as the customer's fault; the others it calls its own.
# Source: CUSTOMER_ERRORS of constants/xgb_constants.py, cut to what xgboost 3.0 still says of it.
_CUSTOMER_ERRORS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Invalid shape of labels",
    "AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1) for logistic loss",
    "PoissonRegression: label must be nonnegative",
    "TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)
# Below it a second thread costs more time than it saves (measured: docs/notes/xgboost.md#threads).
_CELLS_FOR_THREADS = 100_000
# Above it, xgboost before 2.0 approximated by itself.
_MOST_ROWS_FOR_EXACT = 4 << 20
_NOT_FOR_XGBOOST = frozenset(
    ("num_round", "csv_weights", "early_stopping_rounds", "_tuning_objective_metric", "eval_metric",
     "save_model_on_termination", "use_dask_gpu_training")
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is given to xgboost, and what watches it."""

    parameters: dict[str, Any]
    rounds: int
    computed: tuple[str, ...]
    """Metrics that the container computes, in the order in which they are printed."""
    early_stopping_rounds: int | None
    stopping_metric: str | None
    save_on_termination: bool


def plan(
    values: dict[str, Any], version: Version, train: xgb.DMatrix, validated: bool, log: Log
) -> Plan:
    """From checked hyperparameters to what xgboost is called with."""
    rows = hyperparameters.known(version)
    parameters = {
        name: value
        for name, value in values.items()
        if name not in _NOT_FOR_XGBOOST and not rows[name].ignored
    }
    for name in ("monotone_constraints", "interaction_constraints"):
        if name in parameters:
            # As text they count columns; as lists this xgboost takes them for names.
            parameters[name] = str(parameters[name])
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    _old_defaults(parameters, version, train)
    if train.num_row() * train.num_col() < _CELLS_FOR_THREADS:
        parameters.setdefault("nthread", 1)
    tuning = None
    if "_tuning_objective_metric" in values:
        tuned = values["_tuning_objective_metric"].split(":")[1]
        tuning = tuned.split(",")
        log.info(f"Setting up HPO optimized metric to be : {tuned}")
    asked = values.get("eval_metric")
    wanted = _union(tuning, asked)
    known = metrics.known(version)
    computed = tuple(name for name in wanted if name in known and known[name].computed_by(version))
    left = [name for name in wanted if name not in computed]
    if left:
        parameters["eval_metric"] = left
    elif wanted:
        # The image then leaves eval_metric out, so xgboost adds the objective's own metric.
        parameters.pop("eval_metric", None)
    rounds = values.get("early_stopping_rounds")
    watched = (tuning or asked or [None])[-1]
    return Plan(
        parameters=parameters,
        rounds=values["num_round"],
        computed=computed,
        early_stopping_rounds=rounds,
        stopping_metric=watched if validated else None,
        save_on_termination=values.get("save_model_on_termination") == "true",
    )


def _union(tuning: list[str] | None, asked: list[str] | None) -> list[str]:
    if tuning is None or asked is None:
        return list(dict.fromkeys(tuning or asked or ()))
    return sorted({*tuning, *asked})


def _old_defaults(parameters: dict[str, Any], version: Version, train: xgb.DMatrix) -> None:
    """What xgboost before 2.0 did when it was not told."""
    if version.has("half_base_score") and parameters.get("objective") != "reg:absoluteerror":
        parameters.setdefault("base_score", 0.5)
    if (
        version.has("exact_by_default")
        and parameters.get("tree_method", "auto") == "auto"
        and parameters.get("booster") != "gblinear"
        and "updater" not in parameters
        and parameters.get("process_type") != "update"
    ):
        exact = (
            train.num_row() < _MOST_ROWS_FOR_EXACT and parameters.get("grow_policy") != "lossguide"
        )
        parameters["tree_method"] = "exact" if exact else "hist"


class _TerminatedError(Exception):
    """SIGTERM came; the model so far is saved."""


class _InOrder(xgb.callback.TrainingCallback):
    """Several callbacks as one: xgboost keeps them in a set, and asks none after one that says stop."""

    def __init__(self, callbacks: Sequence[Any]) -> None:
        super().__init__()
        self._callbacks = callbacks

    def before_training(self, model: Any) -> Any:
        for callback in self._callbacks:
            model = callback.before_training(model)
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        stops = [each.before_iteration(model, epoch, evals_log) for each in self._callbacks]
        return any(stops)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        stops = [each.after_iteration(model, epoch, evals_log) for each in self._callbacks]
        return any(stops)

    def after_training(self, model: Any) -> Any:
        for callback in self._callbacks:
            model = callback.after_training(model)
        return model


class _Printer(xgb.callback.TrainingCallback):
    """Prints `[round]<tab>train-rmse:...`; CloudWatch shows the tab as #011."""

    def __init__(self, version: Version, log: Log) -> None:
        super().__init__()
        self._short = version.has("short_numbers_in_log")
        self._log = log

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        parts = [
            f"{channel}-{name}:{self._number(values[-1])}"
            for channel, of_channel in evals_log.items()
            for name, values in of_channel.items()
        ]
        self._log.plain("\t".join([f"[{epoch}]", *parts]))
        return False

    def _number(self, value: float) -> str:
        # xgboost 0.90 read a text of six decimals back and printed that.
        return f"{round(value, 6):g}" if self._short else f"{value:.5f}"


class _Saver(xgb.callback.TrainingCallback):
    """Keeps the model directory at the latest round, and ends the training when SIGTERM has come."""

    def __init__(self, job: Job, version: Version) -> None:
        super().__init__()
        self._job = job
        self._version = version

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        artifact.save_natively(model, self._job.model_dir / artifact.NAME, self._version)
        if self._job.stop_requested.is_set():
            raise _TerminatedError
        return False


class _Computed(xgb.callback.TrainingCallback):
    """The container's own metrics; holds the Booster because some of them are of margins."""

    def __init__(self, names: Sequence[str], *, margins: bool) -> None:
        super().__init__()
        self._names = names
        self._margins = margins
        self._model: Any = None

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self._model = model
        return False

    def __call__(self, predictions: Any, matrix: xgb.DMatrix) -> list[tuple[str, float]]:
        if self._margins:
            predictions = self._model.predict(matrix, output_margin=True)
        labels = matrix.get_label()
        return [
            (
                name,
                custom_metrics.compute(
                    name, labels, np.asarray(predictions), margins=self._margins
                ),
            )
            for name in self._names
        ]


def run(
    plan: Plan,
    train: xgb.DMatrix,
    validation: xgb.DMatrix | None,
    job: Job,
    version: Version,
    log: Log,
) -> None:
    """Train and save the model. UserError or AlgorithmError when xgboost refuses."""
    watched = [(train, "train")]
    if validation is not None:
        watched.append((validation, "validation"))
    callbacks: list[Any] = [_Printer(version, log)]
    if plan.save_on_termination:
        callbacks.append(_Saver(job, version))
    callbacks += _stopping(plan, version)
    computed: Callable[..., Any] | None = None
    if plan.computed:
        computed = _Computed(plan.computed, margins=_needs_margins(plan, version))
        callbacks.append(computed)
    try:
        with _warnings_in(log):
            booster = xgb.train(
                plan.parameters,
                train,
                num_boost_round=plan.rounds,
                evals=watched,
                custom_metric=computed,
                callbacks=[_InOrder(callbacks)],
                verbose_eval=False,
            )
    except _TerminatedError:
        return
    except (xgb.core.XGBoostError, ValueError, TypeError) as error:
        text = without_stack(error)
        if any(known in text for known in _CUSTOMER_ERRORS):
            raise UserError(text) from None
        raise AlgorithmError(f"XGB train call failed with exception:\n {text}") from None
    artifact.save(booster, job.model_dir / artifact.NAME, version)


def _stopping(plan: Plan, version: Version) -> list[Any]:
    if not plan.early_stopping_rounds:
        return []
    if not version.has("stopping_by_callback"):
        # What xgb.train does with early_stopping_rounds: the last metric of the last channel, all rounds kept.
        return [xgb.callback.EarlyStopping(rounds=plan.early_stopping_rounds)]
    # Without validation data or a metric by name the image of these versions does not stop early.
    if not plan.stopping_metric:
        return []
    known = metrics.known(version).get(plan.stopping_metric)
    return [
        xgb.callback.EarlyStopping(
            rounds=plan.early_stopping_rounds,
            data_name="validation",
            metric_name=plan.stopping_metric,
            maximize=known is not None and known.maximize,
            save_best=True,
        )
    ]


def _needs_margins(plan: Plan, version: Version) -> bool:
    """Whether margins differ from predictions; of a plain regression they are the same numbers."""
    plain = plan.parameters.get("objective", "reg:squarederror") in (
        "reg:squarederror",
        "reg:linear",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
    )
    return version.has("margin_metrics") and not plain


@contextmanager
def _warnings_in(log: Log) -> Iterator[None]:
    """Have xgboost's warnings in the log, without the place in a file that Python puts before them."""

    def show(message: Warning | str, *others: Any, **more: Any) -> None:
        log.plain(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield
