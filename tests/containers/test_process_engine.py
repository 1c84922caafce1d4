"""The process engine keeps the contract of engines, with its fork server and without."""

from collections.abc import Callable, Iterator

import pytest

from harness.containers.process_engine import ProcessEngine
from harness.containers.spec import Engine
from tests.containers.engine_contract import EngineContract

WAYS: dict[str, Callable[[], Engine]] = {
    "fork server": lambda: ProcessEngine(preload=()),
    # As on macOS: each supervisor and each module program is an interpreter of its own.
    "spawn": lambda: ProcessEngine(spawn=True),
}


@pytest.fixture(scope="module", params=WAYS)
def make_engine(request: pytest.FixtureRequest) -> Callable[[], Engine]:
    """Makes engines of one way."""
    return WAYS[request.param]


@pytest.fixture(scope="module")
def engine(make_engine: Callable[[], Engine]) -> Iterator[Engine]:
    """The engine that the tests of one way share."""
    engine = make_engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def crowd(engine: ProcessEngine) -> int:
    """Fifty containers; fewer where each needs two interpreters."""
    return 10 if engine.spawns else 50


class TestProcessEngine(EngineContract):
    pass
