"""The table of hyperparameters, row by row, and what is said about values that are wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.xgboost import hyperparameters
from harness.algorithms.xgboost.errors import AlgorithmError, PlatformError, ToolkitError, UserError
from harness.algorithms.xgboost.intervals import Interval
from harness.algorithms.xgboost.versions import Version, all_versions, named

PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html"
NEWEST = named("1.7-1")
ROUND = {"num_round": "1"}

# name, what it needs beside it, values that pass with what they become, values outside with what is said.
NUMBERS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("num_round", {"1": 1, "4000": 4000}, {"0": "0 is not in [1, +inf)"}),
    ("csv_weights", {"0": 0, "1": 1}, {"2": "2 is not in [0, 1]"}),
    ("early_stopping_rounds", {"1": 1}, {"0": "0 is not in [1, +inf)"}),
    ("verbosity", {"0": 0, "3": 3}, {"4": "4 is not in [0, 3]", "-1": "-1 is not in [0, 3]"}),
    ("nthread", {"1": 1}, {"0": "0 is not in [1, +inf)"}),
    ("eta", {"0": 0.0, "1": 1.0, "0.3": 0.3}, {"2": "2.0 is not in [0, 1]", "-0.1": "-0.1 is not in [0, 1]"}),
    ("gamma", {"0": 0.0, "5e3": 5000.0}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("max_depth", {"0": 0, "10": 10}, {"-1": "-1 is not in [0, +inf)"}),
    ("min_child_weight", {"0": 0.0}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("max_delta_step", {"0.7": 0.7}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("subsample", {"1": 1.0, "0.1": 0.1}, {"0": "0.0 is not in (0, 1]", "1.1": "1.1 is not in (0, 1]"}),
    ("colsample_bytree", {"1": 1.0}, {"0": "0.0 is not in (0, 1]"}),
    ("colsample_bylevel", {"1": 1.0}, {"0": "0.0 is not in (0, 1]"}),
    ("colsample_bynode", {"1": 1.0}, {"0": "0.0 is not in (0, 1]"}),
    ("lambda", {"0": 0.0, "1000": 1000.0}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("alpha", {"0": 0.0}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("sketch_eps", {"0.03": 0.03}, {"0": "0.0 is not in (0, 1)", "1": "1.0 is not in (0, 1)"}),
    ("scale_pos_weight", {"2.5": 2.5}, {"0": "0.0 is not in (0, +inf)"}),
    ("refresh_leaf", {"0": 0, "1": 1}, {"2": "2 is not in [0, 1]"}),
    ("max_leaves", {"0": 0}, {"-1": "-1 is not in [0, +inf)"}),
    ("max_bin", {"256": 256}, {"-1": "-1 is not in [0, +inf)"}),
    ("rate_drop", {"0": 0.0, "1": 1.0}, {"1.5": "1.5 is not in [0, 1]"}),
    ("one_drop", {"0": 0}, {"2": "2 is not in [0, 1]"}),
    ("skip_drop", {"0.5": 0.5}, {"-1": "-1.0 is not in [0, 1]"}),
    ("lambda_bias", {"0.5": 0.5}, {"2": "2.0 is not in [0, 1]"}),
    ("tweedie_variance_power", {"1.5": 1.5}, {"1": "1.0 is not in (1, 2)", "2": "2.0 is not in (1, 2)"}),
    ("num_class", {"2": 2}, {"1": "1 is not in [2, +inf)"}),
    ("base_score", {"0": 0.0, "12.5": 12.5}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("seed", {"-5": -5, "0": 0}, {"2147483647": "2147483647 is not in (-2147483648, 2147483647)"}),
    ("num_parallel_tree", {"1": 1}, {"0": "0 is not in [1, +inf)"}),
    ("aft_loss_distribution_scale", {"1.2": 1.2}, {"-1": "-1.0 is not in [0, +inf)"}),
    ("prob_buffer_row", {"2": 2}, {"1": "1 is not in (1.0, +inf)"}),
]  # fmt: skip
WORDS: dict[str, tuple[str, ...]] = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "save_model_on_termination": ("true", "false"),
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "deterministic_histogram": ("true", "false"),
    "sampling_method": ("uniform", "gradient_based"),
    "use_dask_gpu_training": ("true", "false"),
}
REFUSED = {
    ("tree_method", "gpu_hist"),
    ("predictor", "gpu_predictor"),
    ("use_dask_gpu_training", "true"),
}
OBJECTIVES = (
    "aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson",
    "multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:absoluteerror",
    "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror",
    "reg:squaredlogerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip
OTHERS = {
    "objective", "eval_metric", "updater", "monotone_constraints", "interaction_constraints",
    "_tuning_objective_metric", "_kfold", "_num_cv_round",
}  # fmt: skip


def says(given: dict[str, str], version: Version = NEWEST) -> str:
    """What is wrong with these hyperparameters."""
    with pytest.raises(ToolkitError) as caught:
        hyperparameters.validate(given, version)
    return str(caught.value)


def test_the_rows_tested_here_are_the_whole_table() -> None:
    """No row of 1.7-1 is without a test."""
    tested = {name for name, _, _ in NUMBERS} | set(WORDS) | OTHERS
    assert set(hyperparameters.known(NEWEST)) == tested


@pytest.mark.documented(PAGE)
@pytest.mark.parametrize(
    ("name", "value", "parsed"), [(n, v, p) for n, good, _ in NUMBERS for v, p in good.items()]
)
def test_a_number_in_its_range_is_parsed(name: str, value: str, parsed: Any) -> None:
    """Integers become int, the others float, whatever the string looked like."""
    found = hyperparameters.validate({**ROUND, name: value}, NEWEST)[name]
    assert found == parsed
    assert type(found) is type(parsed)


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("name", "value", "message"), [(n, v, m) for n, _, bad in NUMBERS for v, m in bad.items()]
)
def test_a_number_outside_its_range_is_named_with_the_range(
    name: str, value: str, message: str
) -> None:
    """The value is shown as parsed, the interval with its brackets."""
    assert says({**ROUND, name: value}) == f"Hyperparameter {name}: {message}"


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize("name", [name for name, _, _ in NUMBERS])
@pytest.mark.parametrize("value", ["", "deep", "1,2", "[1]", "True"])
def test_what_is_no_number_cannot_be_parsed(name: str, value: str) -> None:
    """The cause is named by its class."""
    assert (
        says({**ROUND, name: value})
        == f"Hyperparameter {name}: could not parse value (caused by ValueError)"
    )


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize("name", ["num_round", "max_depth", "seed"])
def test_an_integer_with_a_point_cannot_be_parsed(name: str) -> None:
    """`3.0` is no integer."""
    assert (
        says({**ROUND, name: "3.0"})
        == f"Hyperparameter {name}: could not parse value (caused by ValueError)"
    )


@pytest.mark.documented(PAGE)
@pytest.mark.parametrize(
    ("name", "value"),
    [(n, v) for n, values in WORDS.items() for v in values if (n, v) not in REFUSED],
)
def test_a_word_of_the_list_passes(name: str, value: str) -> None:
    """It stays as it is."""
    assert hyperparameters.validate({**ROUND, name: value}, NEWEST)[name] == value


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("value", ["", "other", "GBTREE", "TRUE"])
def test_another_word_is_named_with_the_list(name: str, value: str) -> None:
    """The list is printed as Python prints one."""
    assert (
        says({**ROUND, name: value})
        == f"Hyperparameter {name}: {value} is not in {list(WORDS[name])}"
    )


@pytest.mark.parametrize(("name", "value"), sorted(REFUSED))
def test_what_needs_a_gpu_is_refused_by_name(name: str, value: str) -> None:
    """The error names hyperparameter and value, and says what this machine lacks."""
    message = says({**ROUND, name: value})
    assert message.startswith(f"Hyperparameter {name}: {value} cannot be honoured, this machine")


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("name", "value"), [("tree_method", "gpu_hist"), ("predictor", "gpu_predictor")]
)
def test_old_images_say_that_they_have_no_gpu(name: str, value: str) -> None:
    """Until 1.0-1 the check has a text of its own."""
    assert says({**ROUND, name: value}, named("1.0-1")) == "GPU training is not supported yet."


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_of_the_list_passes(objective: str) -> None:
    """With num_class where it is needed."""
    more = {"num_class": "3"} if objective.startswith("multi:") else {}
    given = {**ROUND, **more, "objective": objective}
    assert hyperparameters.validate(given, NEWEST)["objective"] == objective


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
def test_another_objective_is_named_with_the_list() -> None:
    """The order of the list is the image's, `aft_loss_distribution` stands in it."""
    message = says({**ROUND, "objective": "reg:huber"})
    assert message == f"Hyperparameter objective: reg:huber is not in {list(OBJECTIVES)}"


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"max_depth": "3"}, "Missing required hyperparameter: num_round"),
        ({**ROUND, "foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({**ROUND, "sagemaker_region": '"us-east-1"'}, "Extraneous hyperparameter found: sagemaker_region"),
        ({**ROUND, "objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({**ROUND, "objective": "multi:softprob"}, "Require input for parameter 'num_class' for multi-classification"),
        (
            {**ROUND, "objective": "reg:squarederror", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {**ROUND, "objective": "binary:logistic", "eval_metric": "aft-nloglik"},
            "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.",
        ),
        (
            {**ROUND, "objective": "binary:logistic", "eval_metric": "rmse@1"},
            "Metric 'rmse@1' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'.",
        ),
        (
            {**ROUND, "objective": "binary:logistic", "eval_metric": "error@t"},
            "Threshold value 't' in 'error@t' expects float input.",
        ),
        (
            {**ROUND, "eval_metric": "<function f at 0x0>"},
            "User defined evaluation metric <function f at 0x0> is not supported yet.",
        ),
        (
            {**ROUND, "monotone_constraints": "(1, 0)"},
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'.",
        ),
        (
            {**ROUND, "monotone_constraints": "(1, 0)", "tree_method": "approx"},
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'.",
        ),
        (
            {**ROUND, "interaction_constraints": "[[1, 2]]"},
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'.",
        ),
        (
            {**ROUND, "monotone_constraints": "(1, 2)", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: value (1, 2) not in range [-1, 0, 1]",
        ),
        (
            {**ROUND, "interaction_constraints": "[[0, 1]]", "tree_method": "hist"},
            "Hyperparameter interaction_constraints: value [[0, 1]] not in range [1, +inf)",
        ),
        (
            {**ROUND, "monotone_constraints": "(1,", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: could not parse value (caused by ValueError)",
        ),
        (
            {**ROUND, "monotone_constraints": "1", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: unexpected failure when validating 1 (caused by TypeError)",
        ),
        (
            {**ROUND, "booster": "gblinear", "updater": "prune"},
            "Linear updater should be one of these options: 'shotgun', 'coord_descent'.",
        ),
        (
            {**ROUND, "process_type": "update", "updater": "grow_colmaker"},
            "process_type 'update' can only be used with updater 'refresh' and 'prune'",
        ),
        (
            {**ROUND, "updater": "shotgun"},
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_local_histmaker', 'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', "
            "'shortgun', 'coord_descent'.",
        ),
        (
            {**ROUND, "updater": "grow_colmaker,grow_histmaker"},
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', "
            "'distcol', 'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker'",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_said_in_the_words_of_the_image(
    given: dict[str, str], message: str
) -> None:
    """One sentence each, the image's slips of the pen included."""
    assert says(given) == message


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("given", "name", "parsed"),
    [
        ({"updater": "grow_histmaker,prune"}, "updater", ["grow_histmaker", "prune"]),
        ({"updater": "shotgun", "booster": "gblinear"}, "updater", ["shotgun"]),
        ({"updater": "refresh", "process_type": "update"}, "updater", ["refresh"]),
        ({"monotone_constraints": "(1, -1, 0)", "tree_method": "exact"}, "monotone_constraints", (1, -1, 0)),
        ({"interaction_constraints": "[[1, 2], [3]]", "tree_method": "hist"}, "interaction_constraints", [[1, 2], [3]]),
        ({"interaction_constraints": "[[1, 2]]", "tree_method": "approx"}, "interaction_constraints", [[1, 2]]),
        ({"eval_metric": "error@0.7,auc", "objective": "binary:logistic"}, "eval_metric", ["error@0.7", "auc"]),
        ({"eval_metric": "aft-nloglik", "objective": "survival:aft"}, "eval_metric", ["aft-nloglik"]),
        ({"_tuning_objective_metric": "validation:f1"}, "_tuning_objective_metric", "validation:f1"),
    ],
)  # fmt: skip
def test_lists_and_what_depends_on_another_pass(
    given: dict[str, str], name: str, parsed: Any
) -> None:
    """Each becomes the list, tuple or text that it stands for."""
    assert hyperparameters.validate({**ROUND, **given}, NEWEST)[name] == parsed


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
def test_unknown_metrics_are_named_with_all_known_ones() -> None:
    """eval_metric shows its whole list, the tuning metric its own name."""
    message = says({**ROUND, "eval_metric": "rmse,foo"})
    assert message.startswith(
        "Hyperparameter eval_metric: value ['rmse', 'foo'] not in range ['accuracy', 'auc'"
    )
    message = says({**ROUND, "_tuning_objective_metric": "train:rmse"})
    assert message.startswith(
        "Hyperparameter _tuning_objective_metric: train:rmse is not in ['validation:accuracy', 'validation:auc'"
    )


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("version", "metric", "fails"),
    [
        ("1.7-1", "rmse", True),
        ("1.2-1", "rmse", True),
        ("1.0-1", "rmse", False),
        ("1.0-1", "auc", True),
    ],
)
def test_eval_metric_without_objective_is_a_key_error(
    version: str, metric: str, fails: bool
) -> None:
    """The image's own mistake: it looks the objective up without asking whether it is there."""
    given = {**ROUND, "eval_metric": metric}
    if fails:
        with pytest.raises(KeyError, match="'objective'"):
            hyperparameters.validate(given, named(version))
    else:
        assert hyperparameters.validate(given, named(version))["eval_metric"] == [metric]


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("learning_rate", "eta"),
        ("min_split_loss", "gamma"),
        ("reg_lambda", "lambda"),
        ("reg_alpha", "alpha"),
    ],
)
def test_aliases_stand_for_names_from_0_90_2_on(alias: str, name: str) -> None:
    """The earlier image does not know them."""
    assert hyperparameters.validate({**ROUND, alias: "0.5"}, named("0.90-2")) == {
        "num_round": 1,
        name: 0.5,
    }
    assert (
        says({**ROUND, alias: "0.5"}, named("0.90-1"))
        == f"Extraneous hyperparameter found: {alias}"
    )


@pytest.mark.documented("notes/xgboost.md#hyperparameters")
@pytest.mark.parametrize(
    ("name", "value", "since", "until"),
    [
        ("num_parallel_tree", "2", "0.90-2", None),
        ("save_model_on_termination", "true", "1.0-1", None),
        ("aft_loss_distribution", "normal", "1.2-1", None),
        ("single_precision_histogram", "true", "1.2-1", "1.5-1"),
        ("deterministic_histogram", "true", "1.2-1", None),
        ("sampling_method", "uniform", "1.3-1", None),
        ("prob_buffer_row", "2", "1.3-1", None),
        ("use_dask_gpu_training", "false", "1.5-1", None),
        ("silent", "1", None, "1.0-1"),
        ("objective", "reg:squaredlogerror", "1.0-1", None),
        ("objective", "survival:aft", "1.2-1", None),
        ("objective", "reg:absoluteerror", "1.7-1", None),
    ],
)
def test_a_row_is_known_to_its_versions_only(
    name: str, value: str, since: str | None, until: str | None
) -> None:
    """Earlier and later images refuse it."""
    for version in all_versions()[1:]:
        if version.within(since, until):
            assert name in hyperparameters.validate({**ROUND, name: value}, version)
        else:
            assert name in says({**ROUND, name: value}, version)


@pytest.mark.parametrize("name", ["_kfold", "_num_cv_round"])
def test_cross_validation_is_refused_by_name(name: str) -> None:
    """It is a hyperparameter of the image that this program does not honour."""
    with pytest.raises(PlatformError, match=name):
        hyperparameters.validate({**ROUND, name: "5"}, NEWEST)


def test_script_mode_is_refused_by_name_before_anything_else() -> None:
    """The hyperparameter that asks for it is named, though others are missing."""
    with pytest.raises(PlatformError, match="sagemaker_program"):
        hyperparameters.validate({"sagemaker_program": '"train.py"'}, NEWEST)


@pytest.mark.assumed("notes/xgboost.md#hyperparameters-of-072")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "No value(s) were specified for 'num_round' which are required hyperparameter(s)"),
        (
            {**ROUND, "foo": "1"},
            "Additional hyperparameters are not allowed ('foo' was unexpected)",
        ),
        (
            {**ROUND, "booster": "x"},
            "The value 'x' is not valid for the 'booster' hyperparameter which accepts one of the "
            "following: 'gbtree', 'gblinear', 'dart'",
        ),
        (
            {**ROUND, "eta": "2"},
            "The value '2' is not valid for the 'eta' hyperparameter which expects a number between 0 and 1",
        ),
        (
            {**ROUND, "max_depth": "a"},
            "The value 'a' is not valid for the 'max_depth' hyperparameter which expects an integer "
            "greater than 0",
        ),
        (
            {**ROUND, "verbosity": "1"},
            "Additional hyperparameters are not allowed ('verbosity' was unexpected)",
        ),
    ],
)
def test_0_72_speaks_as_the_first_party_algorithms_do(given: dict[str, str], message: str) -> None:
    """Each message names ValidationError as its cause."""
    assert says(given, named("0.72")) == f"{message} (caused by ValidationError)"


@given(
    st.dictionaries(
        st.sampled_from([*sorted(hyperparameters.known(NEWEST)), "foo", "learning_rate"]),
        st.text(max_size=20) | st.integers().map(str) | st.floats().map(str),
    ),
    st.sampled_from(all_versions()),
)
def test_no_hyperparameters_raise_anything_but_the_errors_of_the_image(
    given: dict[str, str], version: Version
) -> None:
    """Whatever the values: parsed values, or an error with a message."""
    message = ""
    values: dict[str, Any] = {}
    try:
        values = hyperparameters.validate(given, version)
    except (UserError, AlgorithmError, PlatformError) as error:
        message = str(error)
    except KeyError as error:
        message = f"{error.args[0]} is not there" if error.args == ("objective",) else ""
    assert message or "num_round" in values


@given(
    st.integers(-1000, 1000),
    st.integers(0, 1000),
    st.booleans(),
    st.booleans(),
    st.integers(-3000, 3000),
)
def test_an_interval_holds_what_its_brackets_say(
    low: int, extent: int, low_included: bool, high_included: bool, value: int
) -> None:
    """A square bracket includes its end, a round one does not; the text is kept."""
    high = low + extent
    text = f"{'[' if low_included else '('}{low}, {high}{']' if high_included else ')'}"
    interval = Interval.parse(text)
    inside = (
        low < value < high
        or (value == low != high and low_included)
        or (value == high != low and high_included)
    )
    if low == high == value:
        inside = low_included and high_included
    assert (value in interval) is inside
    assert str(interval) == text


@pytest.mark.parametrize("text", ["", "1, 2", "[1 2]", "[1, 2", "[a, b]"])
def test_a_text_that_is_no_interval_is_refused(text: str) -> None:
    """A mistake in the table shows itself."""
    with pytest.raises(ValueError, match=r"interval|float"):
        Interval.parse(text)
