"""Training jobs for linear-learner, run as the real program, and what they leave."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.algorithms.linear_learner import model
from harness.algorithms.linear_learner.model import Model
from harness.formats import recordio
from tests.algorithms import programs
from tests.algorithms.programs import Ended

Array = npt.NDArray[Any]
_SCORE = re.compile(r"#(\w+)_score \(algo-1\) : \('([\w.]+)', ([-\w.]+)\)")


@dataclass(frozen=True)
class Data:
    """Features (records, width) and labels (records,) in float32."""

    features: Array
    labels: Array

    @property
    def bytes(self) -> bytes:
        """As recordIO."""
        return recordio.dumps(self.features, self.labels)

    def part(self, start: int, end: int) -> "Data":
        """Some of the records."""
        return Data(self.features[start:end], self.labels[start:end])


def data(features: Any, labels: Any) -> Data:
    """Arrays of any dtype as the algorithm gets them."""
    return Data(np.asarray(features, np.float32), np.asarray(labels, np.float32))


def noisy_line(count: int = 1461, seed: int = 0) -> Data:
    """One feature, skewed labels that hardly follow it: like rain by temperature."""
    generator = np.random.default_rng(seed)
    feature = generator.normal(12, 6, (count, 1))
    wet = generator.random(count) < 0.45 - 0.01 * (feature[:, 0] - 12)
    return data(feature, np.where(wet, generator.exponential(7, count), 0))


def plane(count: int = 600, seed: int = 1) -> Data:
    """Five correlated features on very different scales, a noisy linear label."""
    generator = np.random.default_rng(seed)
    base = generator.normal(size=(count, 5)) @ generator.normal(size=(5, 5))
    features = base * [1, 100, 0.01, 10, 1] + [0, 5000, 1, -300, 3]
    label = base @ [3, -2, 1, 0.5, 4] + generator.normal(0, 2, count) + 50
    return data(features, label)


def two_classes(count: int = 800, seed: int = 2, share: float = 0.3) -> Data:
    """Overlapping classes 0 and 1, of which 1 is the rarer one."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(count) < share).astype(int)
    features = generator.normal(size=(count, 4)) + labels[:, None] * [1.2, -0.8, 0, 0.5]
    return data(features * [1, 10, 1, 100] + 7, labels)


def three_classes(count: int = 900, seed: int = 3) -> Data:
    """Overlapping classes 0 to 2 of different sizes."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, count, p=[0.6, 0.3, 0.1])
    centres = np.array([[0, 0], [2, 0], [0, 2.5]])
    return data(generator.normal(size=(count, 2)) + centres[labels], labels)


@dataclass(frozen=True)
class Trained:
    """A job that succeeded."""

    ended: Ended
    model: Model

    def scores(self, name: str) -> dict[str, float]:
        """The `#NAME_score` lines."""
        found = _SCORE.findall(self.ended.output)
        return {score: float(value) for data_set, score, value in found if data_set == name}

    def members(self) -> dict[str, bytes]:
        """The files in the artifact."""
        path = self.ended.base / "model" / model.ARTIFACT
        with zipfile.ZipFile(BytesIO(path.read_bytes())) as archive:
            assert all(m.compress_type == zipfile.ZIP_STORED for m in archive.infolist())
            return {name: archive.read(name) for name in archive.namelist()}


def run(
    base: Path,
    predictor_type: str,
    train: Data | bytes,
    validation: Data | None = None,
    test: Data | None = None,
    content_type: str | None = None,
    **hyperparameters: object,
) -> Ended:
    """Run a training job to its end."""
    named = {"train": train, "validation": validation, "test": test}
    channels = {
        name: files if isinstance(files, bytes) else files.bytes
        for name, files in named.items()
        if files is not None
    }
    values = {"predictor_type": predictor_type, **hyperparameters}
    programs.prepare(base, values, channels, content_type)
    return programs.run(base, "linear-learner", "train")


def train(base: Path, predictor_type: str, *args: Any, **kwargs: Any) -> Trained:
    """Run a training job that has to succeed."""
    ended = run(base, predictor_type, *args, **kwargs)
    assert (ended.code, ended.failure, ended.errors) == (0, None, "")
    return Trained(ended, model.load((base / "model" / model.ARTIFACT).read_bytes()))
