"""Hypothesis strategies for data as SageMaker takes it, for testing serializers and models of your own.

Needs the package `hypothesis` (extra `test`). docs/testing-serializers.md shows them at work.
"""

from harness.testing.strategies.arrays import (
    DTYPES,
    OTHER_DTYPES,
    TENSOR_DTYPES,
    features,
    labelled,
    labels,
    matrices,
    numbers,
    sparse_matrices,
)
from harness.testing.strategies.json_values import json_lines, json_values
from harness.testing.strategies.libsvm import libsvm_lines
from harness.testing.strategies.malformed import (
    Malformed,
    malformed_csv,
    malformed_json_lines,
    malformed_libsvm,
    malformed_npy,
    malformed_recordio,
)
from harness.testing.strategies.payloads import payloads, sizes_around
from harness.testing.strategies.tables import csv_rows, mixed_rows
from harness.testing.strategies.texts import LINE_BREAKS, awkward_text

__all__ = [
    "DTYPES",
    "LINE_BREAKS",
    "OTHER_DTYPES",
    "TENSOR_DTYPES",
    "Malformed",
    "awkward_text",
    "csv_rows",
    "features",
    "json_lines",
    "json_values",
    "labelled",
    "labels",
    "libsvm_lines",
    "malformed_csv",
    "malformed_json_lines",
    "malformed_libsvm",
    "malformed_npy",
    "malformed_recordio",
    "matrices",
    "mixed_rows",
    "numbers",
    "payloads",
    "sizes_around",
    "sparse_matrices",
]
