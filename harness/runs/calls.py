"""Watches the AWS calls of a boto3 session by botocore's event hooks: into the ledger, and as steps."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.runs.ledger import Ledger

_ENTRY = "harness_ledger_entry"
_CALL = "harness_call"
_MODEL = "harness_model"
_BEGAN = "harness_began"
_EVENTS = ("before-parameter-build", "before-call", "after-call", "after-call-error")


@dataclass(frozen=True)
class Call:
    """A call that ended. `error` is the error code or exception name, None for a success."""

    number: int
    service: str
    operation: str
    parameters: Mapping[str, Any]
    answer: Mapping[str, Any]
    error: str | None
    seconds: float = 0.0


class Calls:
    """Tells `listener` of every call of `boto`'s clients, also those of other threads."""

    def __init__(self, boto: Any, ledger: Ledger, listener: Callable[[Call], None]) -> None:
        self._boto = boto
        self._ledger = ledger
        self._listener = listener
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.services: set[str] = set()

    def __enter__(self) -> "Calls":
        handlers = (self._built, self._sending, self._answered, self._failed)
        # Clients copy the session's handlers when they are made, so this comes before all of them.
        for event, handler in zip(_EVENTS, handlers, strict=True):
            self._boto.events.register(f"{event}.*.*", handler, unique_id=f"harness-{event}")
        return self

    def __exit__(self, *exc_info: object) -> None:
        for event in _EVENTS:
            self._boto.events.unregister(f"{event}.*.*", unique_id=f"harness-{event}")

    def _built(
        self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        # Kept as the caller gave them: later the names are part of a URL or a body.
        context[_CALL] = {k: v for k, v in params.items() if isinstance(v, (str, int, float))}

    def _sending(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        service = model.service_model.service_name
        context[_MODEL] = model
        context[_BEGAN] = time.monotonic()
        with self._lock:
            self.services.add(service)
        entry = self._ledger.intend(service, model.name, context.get(_CALL, {}))
        if entry is not None:
            context[_ENTRY] = entry

    def _answered(
        self, parsed: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        error = parsed.get("Error", {}).get("Code") if "Error" in parsed else None
        self._done(model, context, parsed, error)

    def _failed(self, exception: BaseException, context: dict[str, Any], **_: Any) -> None:
        if _MODEL in context:
            # No answer: the intent stays open, as the request may have arrived.
            self._done(context[_MODEL], context, {}, type(exception).__name__, answered=False)

    def _done(
        self,
        model: Any,
        context: dict[str, Any],
        answer: Mapping[str, Any],
        error: str | None,
        *,
        answered: bool = True,
    ) -> None:
        service = model.service_model.service_name
        entry = context.pop(_ENTRY, None)
        if entry is not None and answered:
            self._ledger.confirm(entry, created=error is None, error=error)
        with self._lock:
            number = next(self._numbers)
        seconds = time.monotonic() - context.get(_BEGAN, time.monotonic())
        call = Call(number, service, model.name, context.get(_CALL, {}), answer, error, seconds)
        # What watches a call never breaks it.
        with suppress(Exception):
            self._listener(call)
