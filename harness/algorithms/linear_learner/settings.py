"""The hyperparameters of linear-learner, typed and checked against each other."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.algorithms.first_party.errors import CustomerError
from harness.algorithms.first_party.hyperparameters import Table, Value

TABLE = Table(Path(__file__).with_name("hyperparameters.toml"))

LOSSES = {
    "binary_classifier": ("logistic", "hinge_loss"),
    "multiclass_classifier": ("softmax_loss",),
    "regressor": (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""Losses by predictor type; the first is what `auto` means."""


@dataclass(frozen=True)
class Settings:
    """One field per hyperparameter, named as it is; None stands for `auto`."""

    predictor_type: str
    num_classes: int
    feature_dim: int | None
    mini_batch_size: int
    epochs: int
    use_bias: bool
    binary_classifier_model_selection_criteria: str
    f_beta: float
    target_recall: float
    target_precision: float
    num_models: int | None
    num_calibration_samples: int | None
    init_method: str
    init_scale: float
    init_sigma: float
    init_bias: float
    optimizer: str | None
    loss: str
    margin: float
    quantile: float
    loss_insensitivity: float
    huber_delta: float
    accuracy_top_k: int
    wd: float | None
    l1: float | None
    momentum: float | None
    learning_rate: float | None
    beta_1: float | None
    beta_2: float | None
    bias_lr_mult: float | None
    bias_wd_mult: float | None
    use_lr_scheduler: bool
    lr_scheduler_step: int | None
    lr_scheduler_factor: float | None
    lr_scheduler_minimum_lr: float | None
    positive_example_weight_mult: float | str | None
    balance_multiclass_weights: bool
    normalize_data: bool | None
    normalize_label: bool | None
    unbias_data: bool | None
    unbias_label: bool | None
    num_point_for_scaler: int
    early_stopping_patience: int
    early_stopping_tolerance: float

    @property
    def regression(self) -> bool:
        """Whether labels are numbers to come near to."""
        return self.predictor_type == "regressor"

    @property
    def binary(self) -> bool:
        """Whether labels are 0 or 1."""
        return self.predictor_type == "binary_classifier"

    @property
    def outputs(self) -> int:
        """Scores per record."""
        return self.num_classes if self.predictor_type == "multiclass_classifier" else 1


def settle(values: Mapping[str, Value]) -> Settings:
    """Settings from checked values. CustomerError where two hyperparameters contradict each other."""
    chosen: dict[str, Any] = {field.name: values[field.name] for field in fields(Settings)}
    kind = chosen["predictor_type"]
    allowed = LOSSES[kind]
    chosen["loss"] = chosen["loss"] or allowed[0]
    if chosen["loss"] not in allowed:
        words = ", ".join(f"'{word}'" for word in ("auto", *allowed))
        raise CustomerError(
            f"The value '{chosen['loss']}' is not valid for the 'loss' hyperparameter which accepts "
            f"one of the following for predictor_type '{kind}': {words}"
        )
    if kind == "multiclass_classifier" and chosen["num_classes"] < 3:
        raise CustomerError(
            f"The value '{chosen['num_classes']}' is not valid for the 'num_classes' hyperparameter "
            "which must be at least 3 for predictor_type 'multiclass_classifier'"
        )
    if values["_tuning_objective_metric"]:
        # A tuning job searches by itself, so one model is trained per job, as the guide says.
        chosen["num_models"] = 1
    return Settings(**chosen)
