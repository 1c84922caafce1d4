"""URLs of APIs: host and path forms lead to the same API and path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.addresses import Address, find
from harness.cloud.gateway import Service, identify

PATHS = st.lists(
    st.text("abcXYZ019-_.~%+@", max_size=5).map(lambda part: part.replace("%", "%2F")), max_size=5
).map("/".join)
IDS = st.from_regex(r"[a-z0-9]{8,10}", fullmatch=True)


def scope(path: str, host: str = "127.0.0.1:4580", **more: Any) -> dict[str, Any]:
    """An ASGI scope as the server makes it."""
    return {
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", host.encode()), *more.get("headers", [])],
    }


@pytest.mark.documented("notes/apis.md#addresses")
@given(api_id=IDS, stage=st.sampled_from(["prod", "test", "%24default"]), rest=PATHS)
def test_three_forms_are_one_address(api_id: str, stage: str, rest: str) -> None:
    """Host, LocalStack's new path and its old one name the same API, stage and path."""
    path = f"/{stage}/{rest}"
    by_host = find(scope(path, f"{api_id}.execute-api.localhost:4580"))
    assert by_host == find(scope(f"/_aws/execute-api/{api_id}{path}"))
    assert by_host == find(scope(f"/restapis/{api_id}/{stage}/_user_request_/{rest}"))
    assert by_host == Address(api_id, path)
    assert by_host.first_segment == stage.replace("%24", "$")
    assert by_host.after_first_segment == f"/{rest}"


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/", "localhost:4580"),
        ("/restapis", "localhost"),
        ("/restapis/abc/stages/prod", "localhost"),
        ("/bucket/_user_request_/x", "localhost"),
        ("/_aws/execute-api/", "localhost"),
        ("/prod/x", "execute-api.localhost"),
        ("/prod/x", "bucket.s3.localhost"),
    ],
)
def test_other_requests_name_no_api(path: str, host: str) -> None:
    """Control plane, buckets and other hosts are left alone."""
    assert find(scope(path, host)) is None


def signed_for(service: str) -> list[tuple[bytes, bytes]]:
    """An Authorization header with a credential scope."""
    credential = f"Credential=test/20261121/us-east-1/{service}/aws4_request"
    return [(b"authorization", f"AWS4-HMAC-SHA256 {credential}, Signature=0".encode())]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("execute-api", Service.EXECUTE_API),
        ("apigateway", Service.MOTO),
        ("s3", Service.MOTO),
    ],
)
def test_a_signature_tells_a_bucket_from_an_api(service: str, expected: Service) -> None:
    """A key of S3 may look like an API's path; the credential scope decides."""
    path = "/restapis/abcdefghij/prod/_user_request_/x"
    assert expected is identify(scope(path, headers=signed_for(service))).service
    assert identify(scope(path)).service is Service.EXECUTE_API


@given(path=st.text(st.characters(codec="latin-1"), max_size=60), host=st.text(max_size=40))
def test_no_path_or_host_confuses_it(path: str, host: str) -> None:
    """Whatever is sent, there is an address or none, and no exception."""
    found = find(
        {
            "path": "/" + path,
            "raw_path": b"/" + path.encode("latin-1"),
            "headers": [(b"host", host.encode("utf-8"))],
        }
    )
    assert found is None or isinstance(found.first_segment + found.after_first_segment, str)
