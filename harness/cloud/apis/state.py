"""Where the data plane looks APIs up: one small interface, and its implementation over moto's records."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeAlias

from harness.cloud.apis import moto_records
from harness.cloud.apis.definitions import ApiKey, Found, FoundHttp, FoundRest, Owner
from harness.cloud.backing.moto_services import MotoServices

# Has a function called by a thread, where it may wait for a lock or take its time.
Run: TypeAlias = Callable[..., Awaitable[Any]]


class ApiState(Protocol):
    """What is known of APIs. Calls may wait for a lock, so the event loop leaves them to a thread."""

    def find(self, api_id: str, stage: str) -> Found | None:
        """The API with this id, in whatever account and region; `stage` is the one that is asked for."""

    def find_key(self, owner: Owner, stage: str, value: str) -> ApiKey | None:
        """The API key with this value."""


class MotoApiState:
    """The APIs that moto keeps."""

    def __init__(self, services: MotoServices) -> None:
        self._services = services

    def find(self, api_id: str, stage: str) -> Found | None:
        """The API with this id; REST APIs and HTTP APIs do not share ids."""
        with self._services.lock:
            for owner, api in self._apis("moto.apigateway.models", "apigateway_backends", api_id):
                kept = api.stages.get(stage)
                return FoundRest(
                    owner,
                    None if kept is None else moto_records.rest_stage(api, kept),
                    disabled=bool(api.disableExecuteApiEndpoint),
                )
            for owner, api in self._apis(
                "moto.apigatewayv2.models", "apigatewayv2_backends", api_id
            ):
                if api.protocol_type == "HTTP":
                    return FoundHttp(
                        owner,
                        moto_records.http_api(api),
                        {name: moto_records.http_stage(kept) for name, kept in api.stages.items()},
                        disabled=bool(api.disable_execute_api_endpoint),
                    )
        return None

    def find_key(self, owner: Owner, stage: str, value: str) -> ApiKey | None:
        """The key with this value, and the plan of this stage that it belongs to."""
        from moto.apigateway.models import apigateway_backends

        with self._services.lock:
            backend = apigateway_backends[owner.account][owner.region]
            for key in backend.keys.values():
                if key.value == value:
                    return moto_records.api_key(backend, key, owner.api_id, stage)
        return None

    def _apis(self, module: str, backends: str, api_id: str) -> Iterator[tuple[Owner, Any]]:
        if module not in sys.modules:
            # Nobody has made an API: moto need not be loaded to say so.
            return
        for account, regions in list(getattr(sys.modules[module], backends).items()):
            for region, backend in list(regions.items()):
                if api_id in backend.apis:
                    yield Owner(account, region, api_id), backend.apis[api_id]
