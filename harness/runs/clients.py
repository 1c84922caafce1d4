"""Clients of a place that nobody watches: what the runner does is no part of the lesson."""

from typing import Any

from harness.targets.place import Place


class Clients:
    """`clients("s3")` is a boto3 client with the place's credentials, made once."""

    def __init__(self, place: Place) -> None:
        import boto3

        keys = place.boto.get_credentials().get_frozen_credentials()
        self._session = boto3.Session(
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            region_name=place.region,
        )
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of this service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]
