"""XGBoost in algorithm mode, every image version: `train` a job, `load` a model to serve.

LIMITATIONS: one host, CPU only, File mode; no script mode, checkpoints, k-fold or selectable inference.
Every version trains with the one xgboost that is installed; docs/notes/xgboost.md has the differences.
"""

import os

from harness.algorithms.contract import Job
from harness.algorithms.serving import ModelLocation, Predictor

__all__ = ["load", "train"]

# Read when xgboost is first imported. Threads that wait by spinning are what OpenMP has by default; with more jobs
# than cores a training of milliseconds then takes seconds. See docs/notes/xgboost.md#threads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


# xgboost itself is imported on use: the control plane reads this package's tables without it.
def train(job: Job) -> None:
    """Train one model into the job's model directory; JobFailure says why there is none."""
    from harness.algorithms.xgboost.training import train as run

    run(job)


def load(location: ModelLocation) -> Predictor:
    """Load the models of a directory; UnusableModel when there is none that loads."""
    from harness.algorithms.xgboost.inference import load as read

    return read(location)
