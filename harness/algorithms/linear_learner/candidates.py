"""The candidate models that are trained side by side: each with its own optimizer settings.

The guide says that one model has the given settings and the others are close by; `auto` leaves them
to the algorithm. Which ones AWS tries is not published.
"""

from dataclasses import dataclass
from itertools import cycle, islice

from harness.algorithms.linear_learner.settings import Settings

AUTO_MODELS = 32

_RATES = {
    "adam": (0.1, 0.05, 0.2, 0.025, 0.4, 0.0125, 0.005, 0.001),
    "sgd": (1.0, 0.5, 2.0, 0.25, 4.0, 0.1, 0.03, 8.0),
    "rmsprop": (0.05, 0.025, 0.1, 0.0125, 0.2, 0.005, 0.002, 0.0005),
}
_NEAR = (1.0, 0.5, 2.0, 0.25, 4.0, 0.1, 0.7, 1.4)
_DECAYS = ((0.0,) * 8, (1e-3,) * 4 + (1e-2,) * 4)


@dataclass(frozen=True)
class Candidate:
    """Optimizer settings of one model; `positive_weight` is the weight of examples with label 1."""

    optimizer: str
    learning_rate: float
    wd: float
    l1: float
    positive_weight: float


def propose(settings: Settings, balance: float) -> list[Candidate]:
    """`num_models` candidates, those of one optimizer next to each other.

    `balance` is the number of negative examples for each positive one.
    """
    wanted = settings.num_models or AUTO_MODELS
    kinds = [settings.optimizer] if settings.optimizer else ["adam", "sgd"]
    if settings.optimizer is None and settings.learning_rate is not None:
        # A learning rate means something for one optimizer only, and auto is adam.
        kinds = ["adam"]
    grid = [
        (kind, rate, decay)
        for group in _DECAYS
        for kind in kinds
        for rate, decay in zip(_rates(settings, kind), group, strict=True)
    ]
    rounds = islice(cycle(grid), wanted)
    weights = _weights(settings, balance)
    found = [
        Candidate(
            optimizer=kind,
            # Beyond the grid the same settings come again with smaller steps.
            learning_rate=rate * 0.8 ** (number // len(grid)),
            wd=decay if settings.wd is None else settings.wd * _NEAR[number // len(_NEAR) % 4],
            l1=settings.l1 or 0.0,
            positive_weight=weights[number % len(weights)],
        )
        for number, (kind, rate, decay) in enumerate(rounds)
    ]
    return sorted(found, key=lambda candidate: kinds.index(candidate.optimizer))


def _rates(settings: Settings, kind: str) -> tuple[float, ...]:
    if settings.learning_rate is None:
        return _RATES[kind]
    return tuple(settings.learning_rate * factor for factor in _NEAR)


def _weights(settings: Settings, balance: float) -> tuple[float, ...]:
    given = settings.positive_example_weight_mult
    if not settings.binary:
        return (1.0,)
    if given is None:
        return (1.0, balance)
    return (balance,) if given == "balanced" else (float(given),)
