"""One open embedded target per module, and clients that reach it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.runs.clients import Clients
from harness.targets import Place
from harness.targets.embedded import Embedded


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The place; an internal failure of its cloud fails the module's last test."""
    tmp_path_factory.getbasetemp()  # made now, or it would be in the place's folder
    with Embedded().open() as place:
        yield place
        assert place.faults() == ()


@pytest.fixture(scope="module")
def client_of(place: Place) -> Callable[[str], Any]:
    """Clients as the runner has them."""
    return Clients(place)
