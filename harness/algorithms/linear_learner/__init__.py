"""linear-learner: linear regression, binary and multiclass classification.

LIMITATIONS: one host, no GPU, File mode; what cannot be honoured fails the job by name.
"""

from harness.algorithms.contract import Job
from harness.algorithms.linear_learner.metric_definitions import METRIC_DEFINITIONS
from harness.algorithms.serving import ModelLocation, Predictor

__all__ = ["METRIC_DEFINITIONS", "load", "train"]


def train(job: Job) -> None:
    """Train on the channels `train`, `validation` and `test` and save the model."""
    from harness.algorithms.linear_learner import training

    training.train(job)


def load(location: ModelLocation) -> Predictor:
    """The model under `location`, ready to answer."""
    from harness.algorithms.linear_learner import inference

    return inference.load(location)
