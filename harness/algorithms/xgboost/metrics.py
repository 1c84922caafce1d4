"""The metrics that the XGBoost image knows by name, and the regular expressions that find them in a log."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from harness.algorithms.xgboost.versions import Version, named, table


@dataclass(frozen=True)
class Metric:
    """One metric: whether more is better, and the versions that know it and that compute it themselves."""

    name: str
    maximize: bool
    since: str | None
    computed: str | None

    def known_to(self, version: Version) -> bool:
        """Whether eval_metric may name it."""
        return version.within(self.since, None)

    def computed_by(self, version: Version) -> bool:
        """Whether the container computes it, not xgboost."""
        # 0.72's own list is not public; its messages name the same metrics as 0.90's.
        return self.computed is not None and max(version, named("0.90-1")) >= named(self.computed)


@functools.cache
def _all() -> tuple[Metric, ...]:
    return tuple(
        Metric(name, direction == "maximize", row.get("since"), row.get("computed"))
        for direction, rows in table("metrics.toml").items()
        for name, row in rows.items()
    )


def known(version: Version) -> dict[str, Metric]:
    """The metrics of a version by name, those to maximize first: the order in which messages list them."""
    return {metric.name: metric for metric in _all() if metric.known_to(version)}


def objective_names(version: Version) -> list[str]:
    """What `_tuning_objective_metric` may be, in the order in which messages list it."""
    return [f"validation:{name}" for name in known(version)]


_OF_TRAINING = ("rmse", "mae", "logloss", "error", "merror", "mlogloss", "auc")
"""A job has at most 40 definitions: all metrics of the validation channel, which tuning needs, and these."""


def _definitions() -> Iterator[tuple[str, str]]:
    number = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
    names = [("train", name) for name in _OF_TRAINING]
    names += [("validation", metric.name) for metric in _all()]
    for channel, name in names:
        # CloudWatch shows the tab that the container prints as #011.
        yield f"{channel}:{name}", rf".*\[[0-9]+\].*#011{channel}-{name}:{number}.*"


METRIC_DEFINITIONS: tuple[tuple[str, str], ...] = tuple(_definitions())
"""Name and regular expression of each metric, for lines as CloudWatch has them (a tab is `#011`)."""
