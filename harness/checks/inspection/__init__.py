"""What SageMaker would make of a data file: findings by line or record, and a verdict for each algorithm.

The verdicts come from the readers with which the algorithms train and answer (`harness/formats/readers`).
"""

from harness.checks.inspection.advice import advice
from harness.checks.inspection.inspecting import ALGORITHMS, inspect, intended_use
from harness.checks.inspection.recognition import content_type_of, recognised
from harness.checks.inspection.report import (
    Contents,
    Finding,
    Inspection,
    Place,
    Use,
    Verdict,
)

__all__ = [
    "ALGORITHMS",
    "Contents",
    "Finding",
    "Inspection",
    "Place",
    "Use",
    "Verdict",
    "advice",
    "content_type_of",
    "inspect",
    "intended_use",
    "recognised",
]
