"""The hyperparameters of the XGBoost image, checked in its order and with its messages.

The table is hyperparameters.toml. See docs/notes/xgboost.md#hyperparameters.
"""

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.algorithms.xgboost import metrics, rules
from harness.algorithms.xgboost.errors import AlgorithmError, PlatformError, UserError
from harness.algorithms.xgboost.intervals import Interval
from harness.algorithms.xgboost.versions import Version, table

_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "continuous": float,
    "categorical": str,
    "list": lambda text: text.split(","),
    "tuple": ast.literal_eval,
    "nested": ast.literal_eval,
}


@dataclass(frozen=True)
class Hyperparameter:
    """One row of the table, as one version of the image has it. `accepts` is an Interval or a list of words."""

    name: str
    type: str
    accepts: Any
    required: bool = False
    tunable: tuple[float, float] | None = None
    alias: str | None = None
    ignored: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    gpu_unsupported: bool = False

    def parse(self, text: str) -> Any:
        """The value of a text: a number, a word, a list; ValueError when it is none."""
        try:
            return _PARSERS[self.type](text)
        except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValueError(str(error)) from None

    def check_range(self, value: Any) -> None:
        """UserError for a value that the row does not accept."""
        if self.gpu_unsupported and "gpu" in value:
            raise UserError("GPU training is not supported yet.")
        if self.type in ("integer", "continuous", "categorical"):
            if value not in self.accepts:
                raise UserError(f"Hyperparameter {self.name}: {value} is not in {self.accepts}")
            return
        if self.name == "eval_metric":
            accepted = [rules.metric_accepted(metric, self.accepts) for metric in value]
        elif self.type == "nested":
            accepted = [element in self.accepts for outer in value for element in outer]
        else:
            accepted = [element in self.accepts for element in value]
        if not all(accepted):
            raise UserError(
                f"Hyperparameter {self.name}: value {value} not in range {self.accepts}"
            )


@functools.cache
def known(version: Version) -> dict[str, Hyperparameter]:
    """The rows of a version by name, in the order in which they are checked."""
    return {
        row["name"]: _hyperparameter(row, version)
        for row in table("hyperparameters.toml")["hyperparameter"]
        if version.within(row.get("since"), row.get("until"))
    }


def _hyperparameter(row: Mapping[str, Any], version: Version) -> Hyperparameter:
    tunable = row.get("tunable")
    gpu_text_until = row.get("gpu_text_until")
    return Hyperparameter(
        name=row["name"],
        type=row["type"],
        accepts=_accepted(row, version),
        required=row.get("required", False),
        tunable=(tunable[0], tunable[1]) if tunable else None,
        alias=row.get("alias") if version.has("hyperparameter_aliases") else None,
        ignored=row.get("ignored"),
        refused=row.get("refused", {}),
        gpu_unsupported=gpu_text_until is not None and version.within(None, gpu_text_until),
    )


def _accepted(row: Mapping[str, Any], version: Version) -> Any:
    if "range" in row:
        return Interval.parse(row["range"])
    if "elements" in row:
        return row["elements"]
    if row["values"] == "metrics":
        return list(metrics.known(version))
    if row["values"] == "objective metrics":
        return metrics.objective_names(version)
    return [
        value["value"] if isinstance(value, dict) else value
        for value in row["values"]
        if isinstance(value, str) or version.within(value.get("since"), value.get("until"))
    ]


def validate(given: Mapping[str, str], version: Version) -> dict[str, Any]:
    """Parse and check the hyperparameters of a job; aliases become the names they stand for.

    UserError with the image's message for the first that is wrong: missing, unknown, unparsable, out of
    range, at odds with another one. PlatformError for what the image does and this program does not.
    """
    if "sagemaker_program" in given:
        raise PlatformError(
            "sagemaker_program: script mode is not offered by this XGBoost, which runs in algorithm mode only"
        )
    rows = known(version)
    names = {row.alias: row.name for row in rows.values() if row.alias}
    given = {names.get(name, name): value for name, value in given.items()}
    values = (
        _schema_checked(given, rows) if version.has("customer_errors") else _checked(given, rows)
    )
    for name in rules.in_order(values):
        rules.check(name, values, version)
    _refuse(values, rows)
    return values


def _checked(given: Mapping[str, str], rows: Mapping[str, Hyperparameter]) -> dict[str, Any]:
    for row in rows.values():
        if row.required and row.name not in given:
            raise UserError(f"Missing required hyperparameter: {row.name}")
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in rows:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = rows[name].parse(text)
        except ValueError as error:
            raise UserError(f"Hyperparameter {name}: could not parse value", error) from None
    for name, value in values.items():
        try:
            rows[name].check_range(value)
        except TypeError as error:  # a number where a tuple is due, for instance
            raise AlgorithmError(
                f"Hyperparameter {name}: unexpected failure when validating {value}", error
            ) from None
    return values


class ValidationError(Exception):
    """What 0.72's messages name as the cause of a hyperparameter error."""


def _schema_checked(given: Mapping[str, str], rows: Mapping[str, Hyperparameter]) -> dict[str, Any]:
    """The same checks in the words of 0.72, which had the first-party algorithms' JSON schema."""
    missing = [row.name for row in rows.values() if row.required and row.name not in given]
    if missing:
        quoted = ", ".join(f"'{name}'" for name in missing)
        raise UserError(
            f"No value(s) were specified for {quoted} which are required hyperparameter(s)",
            ValidationError(),
        )
    for name in given:
        if name not in rows:
            raise UserError(
                f"Additional hyperparameters are not allowed ('{name}' was unexpected)",
                ValidationError(),
            )
    values: dict[str, Any] = {}
    for name, text in given.items():
        row = rows[name]
        try:
            values[name] = row.parse(text)
            row.check_range(values[name])
        except (ValueError, TypeError, UserError):
            raise UserError(
                f"The value '{text}' is not valid for the '{name}' hyperparameter which {_demand(row)}",
                ValidationError(),
            ) from None
    return values


def _demand(row: Hyperparameter) -> str:
    if isinstance(row.accepts, Interval):
        return f"expects {row.accepts.phrase('integer' if row.type == 'integer' else 'number')}"
    return f"accepts one of the following: {', '.join(repr(value) for value in row.accepts)}"


def _refuse(values: Mapping[str, Any], rows: Mapping[str, Hyperparameter]) -> None:
    for name in ("_kfold", "_nfold", "_num_cv_round"):
        if name in values:
            raise PlatformError(f"{name}: cross validation is not offered by this XGBoost")
    for name, value in values.items():
        if isinstance(value, str) and value in rows[name].refused:
            raise PlatformError(
                f"Hyperparameter {name}: {value} cannot be honoured, {rows[name].refused[value]}"
            )
