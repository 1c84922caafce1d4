"""The rules between hyperparameters of the XGBoost image: what one allows depends on another."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.algorithms.xgboost.errors import UserError
from harness.algorithms.xgboost.versions import Version

Values = Mapping[str, Any]

_DEPENDS = {
    "updater": ("booster", "process_type"),
    "objective": ("num_class",),
    "eval_metric": ("objective",),
    "monotone_constraints": ("tree_method",),
    "interaction_constraints": ("tree_method",),
}
_TREE_GROWERS = (
    "grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_quantile_histmaker",
)  # fmt: skip
_TREE_UPDATERS = (*_TREE_GROWERS, "grow_skmaker", "sync", "refresh", "prune")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")


def in_order(values: Values) -> Iterator[str]:
    """The names given, each after those it depends on: the order in which the rules are checked."""
    seen: set[str] = set()
    for name in values:
        for each in (*_DEPENDS.get(name, ()), name):
            if each in values and each not in seen:
                seen.add(each)
                yield each


def check(name: str, values: Values, version: Version) -> None:
    """UserError when the value of `name` is at odds with another one."""
    if name in _RULES:
        _RULES[name](values, version)


def metric_accepted(metric: str, names: list[str]) -> bool:
    """Whether eval_metric may hold `metric`, with or without a threshold (`error@0.7`)."""
    if "<function" in metric:
        raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
    if "@" not in metric:
        return metric in names
    name, threshold = (part.strip() for part in metric.split("@")[:2])
    if name not in ("error", "ndcg", "map"):
        raise UserError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
    return True


def _updater(values: Values, version: Version) -> None:
    updaters = values["updater"]
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            raise UserError(
                "Linear updater should be one of these options: 'shotgun', 'coord_descent'."
            )
    elif values.get("process_type") == "update":
        if any(updater not in ("refresh", "prune") for updater in updaters):
            raise UserError(
                "process_type 'update' can only be used with updater 'refresh' and 'prune'"
            )
    elif any(updater not in _TREE_UPDATERS for updater in updaters):
        # "shortgun" is the image's spelling.
        raise UserError(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_local_histmaker', 'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', "
            "'shortgun', 'coord_descent'."
        )
    elif sum(updater in _TREE_GROWERS for updater in updaters) > 1:
        # So it stands there, without a space between "the" and "following".
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', "
            "'distcol', 'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker'"
        )


def _objective(values: Values, version: Version) -> None:
    if values["objective"] in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _eval_metric(values: Values, version: Version) -> None:
    wanted = values["eval_metric"]
    if "auc" not in wanted and not version.has("objective_needed_by_eval_metric"):
        return
    # The image looks the objective up without asking whether there is one: KeyError: 'objective'.
    objective = values["objective"]
    if "auc" in wanted and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in wanted and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _monotone_constraints(values: Values, version: Version) -> None:
    if values.get("tree_method") not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'."
        )


def _interaction_constraints(values: Values, version: Version) -> None:
    if values.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )


_RULES: Mapping[str, Callable[[Values, Version], None]] = {
    "updater": _updater,
    "objective": _objective,
    "eval_metric": _eval_metric,
    "monotone_constraints": _monotone_constraints,
    "interaction_constraints": _interaction_constraints,
}
