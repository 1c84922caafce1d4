"""Normalisation before training and its way back into the weights.

Features and regression labels get mean 0 and deviation 1; dense features are then decorrelated as
well, which gives every direction the same curvature, so that few steps of descent are enough.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.first_party.channels import Dataset
from harness.algorithms.first_party.errors import NotHonoured
from harness.algorithms.linear_learner.settings import Settings

Floats = npt.NDArray[np.float64]

_WIDEST_DECORRELATED = 1024
_FLOOR = 1e-3
"""Added to each variance (of 1 on average), so that noise in flat directions is not blown up."""
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Scaling:
    """x -> ((x - mean) / deviation) @ rotation, and y -> (y - label_mean) / label_deviation."""

    mean: Floats
    deviation: Floats
    rotation: Floats | None
    label_mean: float
    label_deviation: float

    def coordinates(self, features: Any) -> Any:
        """Training coordinates in float32, with a last column of ones for the bias."""
        if not isinstance(features, np.ndarray):
            from scipy import sparse

            scaled = features.multiply(1 / self.deviation).astype(np.float32)
            ones = np.ones((features.shape[0], 1), np.float32)
            return sparse.hstack([scaled, ones], format="csr", dtype=np.float32)
        out = np.ones((len(features), features.shape[1] + 1), np.float32)
        for start in range(0, len(features), _BLOCK):
            part = slice(start, start + _BLOCK)
            block = (features[part] - self.mean) / self.deviation
            out[part, :-1] = block if self.rotation is None else block @ self.rotation
        return out

    def labels(self, labels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Labels as training sees them."""
        return ((labels - self.label_mean) / self.label_deviation).astype(np.float32)

    @property
    def curvature(self) -> Floats:
        """Square of the weight that one unit along each coordinate stands for: what L2 weighs."""
        if self.rotation is None:
            return np.ones(len(self.mean))
        return np.asarray((self.rotation**2).sum(axis=0))

    def start(self, weights: Floats) -> Floats:
        """Weights (width, n) on normalised features, in training coordinates."""
        if self.rotation is None:
            return weights
        return np.asarray(np.linalg.solve(self.rotation, weights))

    def unfold(self, parameters: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Weights (outputs, width) and bias (outputs,) on raw features and labels.

        `parameters` has shape (width + 1, outputs), the bias last.
        """
        weights = parameters[:-1].astype(np.float64)
        if self.rotation is not None:
            weights = self.rotation @ weights
        weights /= self.deviation[:, None]
        bias = parameters[-1] - self.mean @ weights
        return (
            weights.T * self.label_deviation,
            bias * self.label_deviation + self.label_mean,
        )


def fit(dataset: Dataset, settings: Settings) -> Scaling:
    """Learn the scaling from the first `num_point_for_scaler` records."""
    sample = dataset.features[: settings.num_point_for_scaler]
    normalize = settings.normalize_data is not False
    unbias = settings.unbias_data
    if unbias and not dataset.dense:
        raise NotHonoured("The value 'true' of the 'unbias_data' hyperparameter with sparse data")
    if unbias is None:
        # A model without bias goes through the origin, so nothing may be moved behind its back.
        unbias = normalize and dataset.dense and settings.use_bias
    mean, deviation = _moments(sample)
    mean = mean if unbias else np.zeros_like(mean)
    deviation = deviation if normalize else np.ones_like(deviation)
    rotation = None
    if (
        dataset.dense
        and normalize
        and not settings.l1
        and 1 < dataset.width <= _WIDEST_DECORRELATED
    ):
        rotation = _decorrelation((sample - mean) / deviation)
    return Scaling(mean, deviation, rotation, *_label_moments(dataset, settings))


def _label_moments(dataset: Dataset, settings: Settings) -> tuple[float, float]:
    if not settings.regression:
        return 0.0, 1.0
    labels = dataset.labels[: settings.num_point_for_scaler].astype(np.float64)
    unbias = settings.use_bias if settings.unbias_label is None else settings.unbias_label
    mean = float(labels.mean())
    deviation = _safe(labels.std(), mean) if settings.normalize_label is not False else 1.0
    return mean if unbias else 0.0, deviation


def _moments(sample: Any) -> tuple[Floats, Floats]:
    if isinstance(sample, np.ndarray):
        wide = sample.astype(np.float64)
        mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    else:
        wide = sample.astype(np.float64)
        mean = np.asarray(wide.mean(axis=0)).ravel()
        square = np.asarray(wide.multiply(wide).mean(axis=0)).ravel()
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return mean, np.array([_safe(d, m) for d, m in zip(deviation, mean, strict=True)])


def _safe(deviation: float, mean: float) -> float:
    """1 for what does not vary beyond rounding."""
    return float(deviation) if deviation > 1e-6 * abs(mean) and deviation > 1e-30 else 1.0


def _decorrelation(normalized: Floats) -> Floats:
    moments, directions = np.linalg.eigh(normalized.T @ normalized / len(normalized))
    return np.asarray(directions / np.sqrt(np.maximum(moments, 0) + _FLOOR))
