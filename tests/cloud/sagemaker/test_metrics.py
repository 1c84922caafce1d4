"""Metrics read from a log."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.sagemaker.metrics import FAILURES, MetricScanner
from harness.containers.spec import LogLine

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _scan(definitions: list[tuple[str, str]], *messages: str) -> dict[str, float]:
    scanner = MetricScanner(definitions, lambda: NOW)
    scanner.feed([LogLine(0, message) for message in messages])
    return {metric.name: metric.value for metric in scanner.final}


@pytest.mark.documented("sagemaker:MetricData")
@given(values=st.lists(st.floats(-1e30, 1e30), min_size=1))
def test_the_last_value_counts(values: list[float]) -> None:
    """Of all the values that a log holds the last one is kept, as the nearest 32-bit number."""
    found = _scan([("m", r"m=(\S+)")], *(f"m={value!r} and more" for value in values))
    assert found == {"m": struct.unpack("f", struct.pack("f", values[-1]))[0]}


@pytest.mark.documented("notes/training-jobs.md#metrics")
@pytest.mark.parametrize("expression", [r"\trmse:([0-9.]+)", "#011rmse:([0-9.]+)"])
def test_a_tab_is_found_in_either_form(expression: str) -> None:
    """Expressions are written for tabs or for #011; a line with a tab answers to both."""
    assert _scan([("m", expression)], "[3]\ttrain:1\trmse:0.25") == {"m": 0.25}


@pytest.mark.assumed("notes/training-jobs.md#metrics")
@given(text=st.sampled_from(["nan", "inf", "-inf", "1e400", "none", "", "1,5", "0x10"]))
def test_what_is_no_finite_number_is_left_out(text: str) -> None:
    """It neither becomes the value nor takes the place of one."""
    assert _scan([("m", "m=(.*)")], "m=2", f"m={text}") == {"m": 2.0}
    assert _scan([("m", "m=(.*)")], f"m={text}") == {}


@pytest.mark.assumed("notes/training-jobs.md#metrics")
def test_an_expression_without_a_group_is_the_value_itself() -> None:
    """The whole match is the number then; a group that took no part is none."""
    assert _scan([("m", "[0-9]+")], "epoch 12") == {"m": 12.0}
    assert _scan([("m", "a(1)?")], "a") == {}


@given(messages=st.lists(st.text(), max_size=20))
def test_any_line_can_come(messages: list[str]) -> None:
    """No line of a log upsets the scanner."""
    _scan([("m", r"(\d+)"), ("n", "#011(.*)")], *messages)


def test_an_expression_that_takes_for_ever_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """After a few lines that cost too much an expression is no longer tried; the others go on."""
    evil = ["a" * 5000 + "b"] * 20
    found = _scan([("evil", "(a|aa)+(a|aa)+$"), ("good", "good=(1)")], *evil, "good=1")
    assert found == {"good": 1.0}
    assert len(caplog.records) == FAILURES


def test_metrics_are_in_the_order_of_their_definitions_with_their_time() -> None:
    """Each has the time at which its line was read."""
    times = iter([NOW, NOW + timedelta(seconds=1)])
    scanner = MetricScanner([("b", "b=(1)"), ("a", "a=(2)")], lambda: next(times))
    scanner.feed([LogLine(0, "a=2"), LogLine(0, "b=1")])
    found: list[Any] = [(metric.name, metric.timestamp) for metric in scanner.final]
    assert found == [("b", NOW + timedelta(seconds=1)), ("a", NOW)]
