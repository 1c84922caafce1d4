"""Every hyperparameter of linear-learner: default, in range, out of range, of the wrong type."""

import pytest

from harness.algorithms.first_party.errors import CustomerError
from harness.algorithms.linear_learner.settings import LOSSES, TABLE, Settings, settle

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"
DEFAULTS = {
    "num_classes": 1, "feature_dim": None, "mini_batch_size": 1000, "epochs": 15,
    "use_bias": True, "binary_classifier_model_selection_criteria": "accuracy", "f_beta": 1.0,
    "target_recall": 0.8, "target_precision": 0.8, "num_models": None,
    "num_calibration_samples": 10_000_000, "init_method": "uniform", "init_scale": 0.07,
    "init_sigma": 0.01, "init_bias": 0.0, "optimizer": None, "loss": "squared_loss",
    "margin": 1.0, "quantile": 0.5, "loss_insensitivity": 0.01, "huber_delta": 1.0,
    "accuracy_top_k": 3, "wd": None, "l1": None, "momentum": None, "learning_rate": None,
    "beta_1": None, "beta_2": None, "bias_lr_mult": None, "bias_wd_mult": None,
    "use_lr_scheduler": True, "lr_scheduler_step": None, "lr_scheduler_factor": None,
    "lr_scheduler_minimum_lr": None, "positive_example_weight_mult": 1.0,
    "balance_multiclass_weights": False, "normalize_data": True, "normalize_label": None,
    "unbias_data": None, "unbias_label": None, "num_point_for_scaler": 10_000,
    "early_stopping_patience": 3, "early_stopping_tolerance": 0.001,
}  # fmt: skip

POSITIVE_INTEGER = (["1", "7"], ["0", "-1", "1.5", "x", ""])
POSITIVE = (["0.001", "5", "1e-3"], ["0", "-1", "x"])
NOT_NEGATIVE = (["0", "0.5"], ["-0.1", "x"])
FRACTION = (["0.01", "0.99"], ["0", "1", "x"])
DECAY = (["0", "0.9"], ["1", "-0.1", "x"])
BOOLEAN = (["true", "False"], ["1", "yes", ""])
RANGES: dict[str, tuple[list[str], list[str]]] = {
    "num_classes": (["1", "1000000"], ["0", "1000001", "x"]),
    "feature_dim": (["auto", "3"], ["0", "x"]),
    "mini_batch_size": POSITIVE_INTEGER,
    "epochs": POSITIVE_INTEGER,
    "use_bias": BOOLEAN,
    "binary_classifier_model_selection_criteria": (
        ["accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision",
         "loss_function", "f1", "cross_entropy_loss"],
        ["auc", "auto"],
    ),
    "f_beta": POSITIVE,
    "target_recall": FRACTION,
    "target_precision": FRACTION,
    "num_models": (["auto", "1", "40"], ["0", "x"]),
    "num_calibration_samples": (["auto", "5"], ["0", "x"]),
    "init_method": (["uniform", "normal"], ["zeros", "auto"]),
    "init_scale": POSITIVE,
    "init_sigma": POSITIVE,
    "init_bias": (["-3", "0.5"], ["x"]),
    "optimizer": (["auto", "sgd", "adam", "rmsprop"], ["adagrad"]),
    "loss": (["auto", "squared_loss", "absolute_loss", "eps_insensitive_squared_loss",
              "eps_insensitive_absolute_loss", "quantile_loss", "huber_loss"], ["mse"]),
    "margin": NOT_NEGATIVE,
    "quantile": FRACTION,
    "loss_insensitivity": POSITIVE,
    "huber_delta": NOT_NEGATIVE,
    "accuracy_top_k": POSITIVE_INTEGER,
    "wd": NOT_NEGATIVE,
    "l1": NOT_NEGATIVE,
    "momentum": DECAY,
    "learning_rate": POSITIVE,
    "beta_1": DECAY,
    "beta_2": DECAY,
    "bias_lr_mult": POSITIVE,
    "bias_wd_mult": NOT_NEGATIVE,
    "use_lr_scheduler": BOOLEAN,
    "lr_scheduler_step": POSITIVE_INTEGER,
    "lr_scheduler_factor": FRACTION,
    "lr_scheduler_minimum_lr": POSITIVE,
    "positive_example_weight_mult": (["auto", "balanced", "2.5"], ["0", "-1", "x"]),
    "balance_multiclass_weights": BOOLEAN,
    "normalize_data": BOOLEAN,
    "normalize_label": (["auto", "true", "false"], ["x"]),
    "unbias_data": (["auto", "true", "false"], ["x"]),
    "unbias_label": (["auto", "true", "false"], ["x"]),
    "num_point_for_scaler": POSITIVE_INTEGER,
    "early_stopping_patience": POSITIVE_INTEGER,
    "early_stopping_tolerance": POSITIVE,
}  # fmt: skip


def settings(predictor_type: str = "regressor", **values: str) -> Settings:
    """Settings from hyperparameters, merged as a job does."""
    return settle(TABLE.check({**TABLE.defaults, "predictor_type": predictor_type, **values}))


@pytest.mark.recorded("notes/linear-learner.md#hyperparameters-of-a-job")
def test_defaults_are_those_of_the_container() -> None:
    """Every hyperparameter has the default that the container prints, `auto` being None."""
    found = vars(settings())
    assert {name: value for name, value in found.items() if name != "predictor_type"} == DEFAULTS


def test_every_hyperparameter_has_its_ranges_here() -> None:
    """No row of the table is left out."""
    visible = {name for name in TABLE.names if not name.startswith("_")}
    assert visible == {*RANGES, "predictor_type"}


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("name", RANGES)
def test_what_is_in_range_is_taken(name: str) -> None:
    """Each value in range passes."""
    for text in RANGES[name][0]:
        value = getattr(settings(**{name: text}), name)
        if text == "auto":
            assert value == ("squared_loss" if name == "loss" else None)
        elif isinstance(value, bool):
            assert value == (text.lower() == "true")
        elif isinstance(value, int | float):
            assert value == float(text)
        else:
            assert value == text


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("name", RANGES)
def test_what_is_out_of_range_or_of_another_type_is_refused(name: str) -> None:
    """Each value out of range fails, by name and value."""
    for text in RANGES[name][1]:
        with pytest.raises(CustomerError) as caught:
            settings(**{name: text})
        assert (
            f"The value '{text}' is not valid for the '{name}' hyperparameter" in caught.value.text
        )


@pytest.mark.documented(GUIDE)
def test_the_predictor_type_is_required() -> None:
    """Without it the job fails; another word is refused."""
    with pytest.raises(CustomerError, match=r"No value.* 'predictor_type'"):
        TABLE.check(TABLE.defaults)
    with pytest.raises(CustomerError, match="'binary_classifier', 'multiclass_classifier'"):
        settings("classifier")


@pytest.mark.documented(GUIDE)
@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_belongs_to_a_predictor_type(kind: str) -> None:
    """Auto is the type's own loss; the losses of other types are refused."""
    classes = {"num_classes": "3"} if kind == "multiclass_classifier" else {}
    assert settings(kind, **classes).loss == LOSSES[kind][0]
    for other, losses in LOSSES.items():
        for loss in losses:
            if other == kind:
                assert settings(kind, loss=loss, **classes).loss == loss
            else:
                with pytest.raises(CustomerError, match=f"'{loss}'.*'auto', '{LOSSES[kind][0]}'"):
                    settings(kind, loss=loss, **classes)


@pytest.mark.documented(GUIDE)
def test_a_multiclass_classifier_has_three_classes_at_least() -> None:
    """Two classes are for the binary classifier; one output per class otherwise."""
    with pytest.raises(CustomerError, match=r"'num_classes'.*at least 3"):
        settings("multiclass_classifier", num_classes="2")
    assert settings("multiclass_classifier", num_classes="5").outputs == 5
    assert settings("binary_classifier", num_classes="5").outputs == 1


@pytest.mark.documented(
    "https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html"
)
def test_a_tuning_job_trains_one_model_per_job() -> None:
    """With an objective metric set by the service, num_models is ignored."""
    found = settings(num_models="8", _tuning_objective_metric="validation:mse")
    assert found.num_models == 1
