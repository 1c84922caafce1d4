"""The invariants, each with the sentence it holds and where that sentence comes from.

A check is a pure function of data that returns a `CheckResult`; none of them raises because something does not hold.
"""

from harness.checks.answers import content_type_is, one_score_per_row_in_order
from harness.checks.apis import api_payload_limit, cors_preflight, lambda_payload_limit
from harness.checks.cleanup import nothing_left
from harness.checks.endpoints import (
    answered_by_old_or_new,
    config_switched,
    high_level_equals_low_level,
    status_path_legal,
)
from harness.checks.logs import metric_in_log_is_true
from harness.checks.permissions import endpoint_refuses_unsigned, least_privilege_is_enough
from harness.checks.regression import (
    adjusted_r2,
    error_below,
    error_near_reference,
    mean_absolute_error,
    mean_squared_error,
    r2,
    root_mean_squared_error,
)
from harness.checks.requests import json_lines_valid, record_boundaries, within_payload_limit
from harness.checks.result import CheckResult, Invariant, Status
from harness.checks.serialization import round_trips, rows_in_order, same_bytes_as_sdk
from harness.checks.training_files import label_column, no_header

__all__ = [
    "CheckResult",
    "Invariant",
    "Status",
    "adjusted_r2",
    "answered_by_old_or_new",
    "api_payload_limit",
    "config_switched",
    "content_type_is",
    "cors_preflight",
    "endpoint_refuses_unsigned",
    "error_below",
    "error_near_reference",
    "high_level_equals_low_level",
    "json_lines_valid",
    "label_column",
    "lambda_payload_limit",
    "least_privilege_is_enough",
    "mean_absolute_error",
    "mean_squared_error",
    "metric_in_log_is_true",
    "no_header",
    "nothing_left",
    "one_score_per_row_in_order",
    "r2",
    "record_boundaries",
    "root_mean_squared_error",
    "round_trips",
    "rows_in_order",
    "same_bytes_as_sdk",
    "status_path_legal",
    "within_payload_limit",
]
