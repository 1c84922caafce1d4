"""Tests of harness.containers."""

import pytest

pytest.register_assert_rewrite("tests.containers.engine_contract", "tests.containers.processes")
