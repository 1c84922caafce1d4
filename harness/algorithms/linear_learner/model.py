"""A trained linear model: scores, predictions, and the artifact that MXNet can load.

See docs/notes/linear-learner.md#artifact.
"""

import json
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms import mxnet_format
from harness.formats.errors import FormatError

ARTIFACT = "model_algo-1"
_BLOCK = 1 << 14
_LARGEST = 1 << 30
_HEADS = {"logistic": "LogisticRegressionOutput", "softmax_loss": "SoftmaxOutput"}


@dataclass(frozen=True)
class Model:
    """Weights (outputs, width) and bias (outputs,) in float32, for raw features and labels.

    `threshold`: a binary classifier says 1 from this score on.
    """

    predictor_type: str
    loss: str
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    threshold: float = 0.5

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.weights.shape[1])

    def margins(self, features: Any) -> npt.NDArray[np.float64]:
        """Linear scores (records, outputs), before any link function."""
        weights, bias = self.weights.T.astype(np.float64), self.bias.astype(np.float64)
        # Doubles inside: a record's score must not depend on which others are in its batch.
        blocks = [
            features[start : start + _BLOCK].astype(np.float64) @ weights + bias
            for start in range(0, features.shape[0], _BLOCK)
        ]
        return np.concatenate([np.asarray(block) for block in blocks])

    def scores(self, features: Any) -> npt.NDArray[np.float32]:
        """What is served as `score`: (records,), for several classes (records, classes)."""
        margins = self.margins(features)
        if self.loss == "softmax_loss":
            shares = np.exp(margins - margins.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            return np.asarray(shares, np.float32)
        if self.loss == "logistic":
            margins = 0.5 * (1 + np.tanh(0.5 * margins))
        with np.errstate(over="ignore"):
            return margins[:, 0].astype(np.float32)

    def predicted_labels(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """Classes for what `scores` returned; classifiers only."""
        if self.loss == "softmax_loss":
            return np.asarray(scores.argmax(axis=1))
        return (scores.astype(np.float64) >= self.threshold).astype(np.int64)

    def save(self, directory: Path) -> Path:
        """Write the artifact into `directory`; its path."""
        outputs = len(self.bias)
        members = {
            "additional-params.json": json.dumps(
                {
                    "predictor_type": self.predictor_type,
                    "loss": self.loss,
                    "score_threshold": self.threshold,
                }
            ).encode(),
            "manifest.json": json.dumps({"version": 1, "model": "mx-mod", "epoch": 0}).encode(),
            "mx-mod-symbol.json": mxnet_format.linear_symbol(
                outputs, _HEADS.get(self.loss, "LinearRegressionOutput")
            ).encode(),
            "mx-mod-0000.params": mxnet_format.dumps(
                {"arg:fc0_weight": self.weights, "arg:fc0_bias": self.bias}
            ),
        }
        path = directory / ARTIFACT
        directory.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                # A fixed date keeps the same model the same bytes.
                archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
        return path


def load(data: bytes) -> Model:
    """The model in an artifact. FormatError when it is none."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise FormatError("an artifact that unpacks to more than 1 GiB")
            additional = json.loads(archive.read("additional-params.json"))
            arrays = mxnet_format.loads(archive.read("mx-mod-0000.params"))
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"no linear-learner artifact: {error}") from None
    try:
        assert isinstance(arrays, dict)
        weights, bias = arrays["arg:fc0_weight"], arrays["arg:fc0_bias"]
        model = Model(
            str(additional["predictor_type"]),
            str(additional["loss"]),
            weights.astype(np.float32),
            bias.astype(np.float32),
            float(additional["score_threshold"]),
        )
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"an artifact without {error}") from None
    if model.weights.ndim != 2 or model.bias.shape != model.weights.shape[:1]:
        raise FormatError(f"weights {model.weights.shape} and bias {model.bias.shape}")
    return model
