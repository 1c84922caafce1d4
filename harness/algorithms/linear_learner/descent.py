"""Mini-batch descent of all candidates at once: one matrix of parameters, one product per batch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import default_rng

from harness.algorithms.linear_learner.candidates import Candidate
from harness.algorithms.linear_learner.losses import Loss
from harness.algorithms.linear_learner.scaling import Scaling
from harness.algorithms.linear_learner.settings import Settings

Floats = npt.NDArray[np.float32]

SEED = 0
_BLOCK = 1 << 16
_FINAL_RATE = 0.01
_MINIMUM_RATE = 1e-5


@dataclass(frozen=True)
class Schedule:
    """The learning rate falls by `factor` every `step` batches, to `minimum` at the least."""

    step: int
    factor: float
    minimum: float

    def rate(self, base: Floats, batch: int) -> Floats:
        """Rates of the candidates at a batch (from 0)."""
        if self.factor == 1:
            return base
        fallen = base * np.float32(self.factor ** (batch // self.step))
        floor = np.minimum(base, np.float32(self.minimum))
        return np.asarray(np.maximum(fallen, floor), np.float32)


def schedule(settings: Settings, batches: int) -> Schedule:
    """The schedule for a training of `batches` batches; by itself it falls to a hundredth."""
    if not settings.use_lr_scheduler:
        return Schedule(1, 1.0, _MINIMUM_RATE)
    step = settings.lr_scheduler_step or math.ceil(batches / 100)
    factor = settings.lr_scheduler_factor or _FINAL_RATE ** min(1.0, step / batches)
    return Schedule(step, factor, settings.lr_scheduler_minimum_lr or _MINIMUM_RATE)


class Descent:
    """Parameters of all candidates, and how a batch changes them.

    `parameters` has shape (width + 1, candidates * outputs): a column per candidate and class, the
    bias in the last row. Deterministic: the generator is seeded.
    """

    def __init__(
        self,
        settings: Settings,
        scaling: Scaling,
        candidates: list[Candidate],
        loss: Loss,
        batches: int,
    ) -> None:
        self._settings = settings
        self._loss = loss
        self._count, self._outputs = len(candidates), settings.outputs
        self._generator = default_rng(SEED)
        self.schedule = schedule(settings, batches)
        self._batch = 0
        self._rates = self._per_column([c.learning_rate for c in candidates])
        self._l1 = self._per_column([c.l1 for c in candidates])
        self._positive = self._per_candidate([c.positive_weight for c in candidates])
        # Weight decay by coordinate and candidate; the bias has its own share of it.
        curvature = np.append(scaling.curvature, settings.bias_wd_mult or 0.0)
        decay = np.outer(curvature, self._per_column([c.wd for c in candidates]))
        self._decay = decay.astype(np.float32) if decay.any() else None
        self._row_rates = np.ones((len(curvature), 1), np.float32)
        self._row_rates[-1] = (settings.bias_lr_mult or 1.0) if settings.use_bias else 0.0
        self.parameters = self._initial(scaling)
        self._steps = self._optimizers(candidates)

    def _per_candidate(self, values: list[float]) -> Floats:
        return np.array(values, np.float32)

    def _per_column(self, values: list[float]) -> Floats:
        return np.repeat(self._per_candidate(values), self._outputs)

    def _initial(self, scaling: Scaling) -> Floats:
        settings, width = self._settings, len(scaling.mean)
        shape = (width, self._count * self._outputs)
        if settings.init_method == "uniform":
            scale = settings.init_scale
            weights = self._generator.uniform(-scale, scale, shape)
        else:
            weights = self._generator.normal(0, settings.init_sigma, shape)
        bias = np.full((1, shape[1]), settings.init_bias if settings.use_bias else 0.0)
        return np.concatenate([scaling.start(weights), bias]).astype(np.float32)

    def _optimizers(self, candidates: list[Candidate]) -> list[tuple[slice, "_Step"]]:
        steps: list[tuple[slice, _Step]] = []
        start = 0
        for kind, group in groupby(candidates, key=lambda candidate: candidate.optimizer):
            end = start + len(list(group)) * self._outputs
            shape = (len(self.parameters), end - start)
            steps.append((slice(start, end), _STEPS[kind](self._settings, shape)))
            start = end
        return steps

    def epoch(
        self,
        coordinates: Any,
        labels: Floats,
        weights: Floats | None,
        stop: Callable[[], bool],
    ) -> int:
        """One pass over the records in a random order; how many records were seen.

        `weights` (records,) multiply each record's loss. Ends early when `stop` says so.
        """
        size = self._settings.mini_batch_size
        order = self._generator.permutation(len(labels))
        seen = 0
        # A candidate whose rate is too high diverges; it is never chosen, and that is no error.
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(order), size):
                if stop():
                    break
                rows = order[start : start + size]
                self._learn(
                    coordinates[rows], labels[rows], None if weights is None else weights[rows]
                )
                seen += len(rows)
        return seen

    def _learn(self, coordinates: Any, labels: Floats, weights: Floats | None) -> None:
        slopes = self._loss.slopes(self._shaped(coordinates @ self.parameters), labels)
        weighing = self._weights(labels, weights)
        if weighing is not None:
            slopes = slopes * (weighing if slopes.ndim == 2 else weighing[:, :, None])
        gradient = coordinates.T @ slopes.reshape(len(labels), -1).astype(np.float32, copy=False)
        gradient /= len(labels)
        if self._decay is not None:
            gradient += self._decay * self.parameters
        rates = self.schedule.rate(self._rates, self._batch)
        self._batch += 1
        for columns, step in self._steps:
            move = step(gradient[:, columns], self._batch)
            move *= rates[columns]
            move *= self._row_rates
            self.parameters[:, columns] -= move
        if self._settings.l1:
            inner = self.parameters[:-1]
            np.copyto(inner, np.sign(inner) * np.maximum(np.abs(inner) - rates * self._l1, 0))

    def _weights(self, labels: Floats, weights: Floats | None) -> Floats | None:
        """Weight of each record for each candidate (records, candidates or 1)."""
        if self._settings.binary and (self._positive != 1).any():
            return np.where(labels[:, None] > 0.5, self._positive, np.float32(1))
        return None if weights is None else weights[:, None]

    def _shaped(self, scores: Floats) -> Floats:
        if self._settings.predictor_type == "multiclass_classifier":
            return scores.reshape(len(scores), self._count, self._outputs)
        return scores

    def objectives(
        self, coordinates: Any, labels: Floats, weights: Floats | None
    ) -> npt.NDArray[np.float64]:
        """Mean loss of each candidate over all records, in the units of training."""
        total = np.zeros(self._count)
        weight = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(labels), _BLOCK):
                part = slice(start, start + _BLOCK)
                scores = self._shaped(coordinates[part] @ self.parameters)
                values = self._loss.values(scores, labels[part])
                if weights is None:
                    total += values.sum(axis=0, dtype=np.float64)
                    weight += len(values)
                else:
                    total += weights[part].astype(np.float64) @ values
                    weight += float(weights[part].sum())
        return total / weight

    def penalties(self) -> npt.NDArray[np.float64]:
        """What regularisation adds to the loss of each candidate, in the units of training."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self._l1 * np.abs(self.parameters[:-1]).sum(axis=0, dtype=np.float64)
            if self._decay is not None:
                squares = self._decay * self.parameters * self.parameters
                total = total + squares.sum(axis=0, dtype=np.float64) / 2
        by_candidate = total.reshape(self._count, self._outputs).sum(axis=1)
        return np.asarray(self._loss.factor * by_candidate)

    def column(self, candidate: int) -> Floats:
        """A copy of one candidate's parameters (width + 1, outputs)."""
        start = candidate * self._outputs
        return self.parameters[:, start : start + self._outputs].copy()

    def scores(self, coordinates: Any) -> Floats:
        """Scores of all candidates."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._shaped(coordinates @ self.parameters)


class _Step:
    """An optimizer over a block of columns: from a gradient to a move of learning rate 1."""

    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        raise NotImplementedError

    def __call__(self, gradient: Floats, count: int) -> Floats:
        raise NotImplementedError


class _Sgd(_Step):
    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        self._momentum = np.float32(settings.momentum or 0.0)
        self._moving = np.zeros(shape, np.float32)

    def __call__(self, gradient: Floats, count: int) -> Floats:
        self._moving *= self._momentum
        self._moving += gradient
        return self._moving.copy()


class _Adam(_Step):
    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        self._beta_1 = 0.9 if settings.beta_1 is None else settings.beta_1
        self._beta_2 = 0.999 if settings.beta_2 is None else settings.beta_2
        self._mean = np.zeros(shape, np.float32)
        self._square = np.zeros(shape, np.float32)

    def __call__(self, gradient: Floats, count: int) -> Floats:
        self._mean *= np.float32(self._beta_1)
        self._mean += np.float32(1 - self._beta_1) * gradient
        self._square *= np.float32(self._beta_2)
        self._square += np.float32(1 - self._beta_2) * gradient * gradient
        correction = math.sqrt(1 - self._beta_2**count) / (1 - self._beta_1**count)
        move: Floats = np.sqrt(self._square)
        move += np.float32(1e-8)
        np.divide(self._mean, move, out=move)
        move *= np.float32(correction)
        return move


class _RmsProp(_Step):
    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        self._square = np.zeros(shape, np.float32)

    def __call__(self, gradient: Floats, count: int) -> Floats:
        self._square *= np.float32(0.9)
        self._square += np.float32(0.1) * gradient * gradient
        return np.asarray(gradient / (np.sqrt(self._square) + 1e-8), np.float32)


_STEPS: dict[str, type[_Step]] = {"sgd": _Sgd, "adam": _Adam, "rmsprop": _RmsProp}
