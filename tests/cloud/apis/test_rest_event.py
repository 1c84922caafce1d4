"""The event of a proxied function: recorded ones, member by member, and texts that must survive it."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.addresses import Address
from harness.cloud.apis.definitions import Method, Owner, Resource, RestApi, RestStage
from harness.cloud.apis.requests import read
from harness.cloud.apis.rest_event import RestCall, proxy_event
from harness.cloud.apis.routing import match_rest
from harness.cloud.http import HEADER_NAMES

NOW = datetime(2026, 11, 21, 1, 53, 55, 250000, tzinfo=UTC)
RESOURCES = (
    Resource("root1", "/"),
    Resource("proxy1", "/{proxy+}", {"ANY": Method("ANY")}),
    Resource("hard1", "/hardcoded", {"ANY": Method("ANY")}),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def event(
    method: str,
    url: str,
    headers: list[tuple[str, str]],
    body: bytes = b"",
    binary: tuple[str, ...] = (),
    variables: dict[str, str] | None = None,
    resources: tuple[Resource, ...] = RESOURCES,
) -> dict[str, Any]:
    """The event of a request to `url`, which begins with the stage `stage`."""
    path, _, query = url.partition("?")
    scope = {
        "method": method,
        "headers": [(n.lower().encode(), v.encode()) for n, v in headers],
        "extensions": {HEADER_NAMES: {"names": [n.encode() for n, _ in headers]}},
        "query_string": query.encode(),
        "server": ("127.0.0.1", 443),
        "client": ("127.0.0.1", 50000),
        "scheme": "https",
    }
    address = Address("abcdefghij", path)
    match = match_rest(resources, method, address.resource_path)
    assert match is not None
    call = RestCall(
        owner=Owner("111111111111", "us-east-1", "abcdefghij"),
        stage=RestStage(
            "stage", "deploy1", RestApi(resources, binary_media_types=binary), variables or {}
        ),
        request=read(scope, body, NOW),
        path=address.resource_path,
        full_path="/stage" + address.after_first_segment,
        match=match,
    )
    parsed: dict[str, Any] = json.loads(proxy_event(call))
    return parsed


HEADERS = [
    ("Host", "abcdefghij.execute-api.us-east-1.amazonaws.com"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, deflate"),
    ("Connection", "keep-alive"),
    ("User-Agent", "python-requests/testing"),
    ("tEsT-HEADeR", "aValUE"),
    ("authorization", "random-value"),
]
# CloudFront adds its own, Via and X-Amz-Cf-Id among them, in front of an edge-optimized API.
IDENTITY = {
    "accessKey": None,
    "accountId": None,
    "caller": None,
    "cognitoAuthenticationProvider": None,
    "cognitoAuthenticationType": None,
    "cognitoIdentityId": None,
    "cognitoIdentityPoolId": None,
    "principalOrgId": None,
    "sourceIp": "127.0.0.1",
    "user": None,
    "userAgent": "python-requests/testing",
    "userArn": None,
}


@pytest.mark.recorded("notes/apis.md#events")
def test_a_recorded_event_is_whole() -> None:
    """Recorded 2 August 2024: every member of the event, with what stands for AWS's own values."""
    made = event("GET", "/stage/proxy-value", HEADERS)
    trace = made["headers"].pop("X-Amzn-Trace-Id")
    assert made["multiValueHeaders"].pop("X-Amzn-Trace-Id") == [trace]
    request_id = made["requestContext"].pop("requestId")
    extended = made["requestContext"].pop("extendedRequestId")
    assert trace.startswith("Root=1-")
    assert len(request_id) == 36
    assert extended.endswith("=")
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Authorization": "random-value",
        "Host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
        "User-Agent": "python-requests/testing",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "tEsT-HEADeR": "aValUE",
    }
    assert made == {
        "body": None,
        "headers": headers,
        "httpMethod": "GET",
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "multiValueQueryStringParameters": None,
        "path": "/proxy-value",
        "pathParameters": {"proxy": "proxy-value"},
        "queryStringParameters": None,
        "requestContext": {
            "accountId": "111111111111",
            "apiId": "abcdefghij",
            "deploymentId": "deploy1",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdefghij",
            "httpMethod": "GET",
            "identity": IDENTITY,
            "path": "/stage/proxy-value",
            "protocol": "HTTP/1.1",
            "requestTime": "21/Nov/2026:01:53:55 +0000",
            "requestTimeEpoch": 1795226035250,
            "resourceId": "proxy1",
            "resourcePath": "/{proxy+}",
            "stage": "stage",
        },
        "resource": "/{proxy+}",
        "stageVariables": None,
    }


EMAILS = "api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com"


@pytest.mark.recorded("notes/apis.md#addresses")
@pytest.mark.parametrize(
    ("url", "path", "full_path", "proxy"),
    [
        ("/stage/proxy-value/", "/proxy-value/", "/stage/proxy-value/", "proxy-value"),
        (
            "/stage/proxy-value//double-slash",
            "/proxy-value//double-slash",
            "/stage/proxy-value//double-slash",
            "proxy-value//double-slash",
        ),
        ("//stage/proxy-value", "/proxy-value", "/stage/proxy-value", "proxy-value"),
        ("/stage//proxy-value", "/proxy-value", "/stage//proxy-value", "proxy-value"),
        (
            f"/stage/proxy-value/{EMAILS}",
            f"/proxy-value/{EMAILS}",
            f"/stage/proxy-value/{EMAILS}",
            f"proxy-value/{EMAILS}",
        ),
    ],
)
def test_recorded_paths(url: str, path: str, full_path: str, proxy: str) -> None:
    """Recorded 2 August 2024: slashes and percent signs of a path, in the event's three places."""
    made = event("GET", url, HEADERS)
    assert made["path"] == path
    assert made["requestContext"]["path"] == full_path
    assert made["pathParameters"] == {"proxy": proxy}
    assert made["resource"] == made["requestContext"]["resourcePath"] == "/{proxy+}"


@pytest.mark.recorded("notes/apis.md#addresses")
def test_a_recorded_path_without_parameters() -> None:
    """Recorded 2 August 2024: a resource of its own, with a slash too many before it."""
    made = event("GET", "/stage//hardcoded", HEADERS)
    assert made["path"] == "/hardcoded"
    assert made["requestContext"]["path"] == "/stage//hardcoded"
    assert made["requestContext"]["resourceId"] == "hard1"
    assert made["pathParameters"] is None


@pytest.mark.recorded("notes/apis.md#events")
def test_recorded_queries() -> None:
    """Recorded 2 August 2024: one parameter, encoded ones, and of repeated ones the last."""
    made = event("GET", "/stage/proxy-value/?urlparam=test", HEADERS)
    assert made["queryStringParameters"] == {"urlparam": "test"}
    assert made["multiValueQueryStringParameters"] == {"urlparam": ["test"]}
    assert made["path"] == "/proxy-value/"
    made = event(
        "GET",
        "/stage/proxy-value/api?dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com"
        "&plus=test+alias@gmail.com&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/",
        HEADERS,
    )
    assert made["queryStringParameters"] == {
        "dateTimeOffset": "2023-06-12T18:05:10.123456 00:00",
        "email": "test+alias@gmail.com",
        "plus": "test alias@gmail.com",
        "url": "https://www.google.com/",
        "whitespace": "foo bar",
        "zhash": "abort/",
    }
    made = event(
        "POST",
        "/stage/proxy-value?category=electronics&category=books&price=10&price=20&price=30",
        [
            ("Content-Type", "application/json;charset=utf-8"),
            ("aUThorization", "Bearer token123;API key456"),
            ("User-Agent", "python-requests/testing"),
        ],
        b'{"message": "hello world"}',
    )
    assert made["multiValueQueryStringParameters"] == {
        "category": ["electronics", "books"],
        "price": ["10", "20", "30"],
    }
    assert made["queryStringParameters"] == {"category": "books", "price": "30"}
    assert made["headers"]["Authorization"] == "Bearer token123;API key456"
    assert made["headers"]["Content-Type"] == "application/json;charset=utf-8"
    assert (made["body"], made["isBase64Encoded"]) == ('{"message": "hello world"}', False)


@pytest.mark.recorded("notes/apis.md#events")
def test_a_recorded_request_with_a_variable_in_its_path() -> None:
    """Recorded 22 July 2024: a POST to /{pathVariable}; mapped parameters do not show."""
    made = event(
        "POST",
        "/stage/foobar?testQueryString=foo&testVar=bar",
        [
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("foobar", "mapped-value"),
            ("user-Agent", "test/integration"),
            ("headerVar", "request-value"),
        ],
        b'{"message": "hello world"}',
        resources=(Resource("var1", "/{pathVariable}", {"ANY": Method("ANY")}),),
    )
    assert (
        made["headers"] | {"User-Agent": "test/integration", "headerVar": "request-value"}
        == (made["headers"])
    )
    assert made["pathParameters"] == {"pathVariable": "foobar"}
    assert made["queryStringParameters"] == {"testQueryString": "foo", "testVar": "bar"}
    assert made["resource"] == "/{pathVariable}"
    assert made["requestContext"]["identity"]["userAgent"] == "test/integration"


@pytest.mark.documented("notes/apis.md#events")
@given(st.binary(min_size=1, max_size=40))
def test_a_binary_body_is_base64(body: bytes) -> None:
    """If its type is one of the API's binary ones, a wildcard among them; else it is text."""
    headers = [("Content-Type", "image/png; charset=binary")]
    for binary in (("image/png",), ("image/*",), ("*/*",)):
        made = event("POST", "/stage/a", headers, body, binary)
        assert made["isBase64Encoded"] is True
        assert base64.b64decode(made["body"]) == body
    made = event("POST", "/stage/a", headers, body, ("image/jpeg",))
    assert (made["body"], made["isBase64Encoded"]) == (body.decode("utf-8", "replace"), False)


@given(
    segment=TEXT.filter(lambda text: text.strip("/")),
    query=st.dictionaries(TEXT.filter(bool), st.lists(TEXT, min_size=1, max_size=3), max_size=3),
    headers=st.lists(TEXT.map(str.strip), min_size=1, max_size=3),
    body=TEXT,
)
def test_texts_of_any_script_survive(
    segment: str, query: dict[str, list[str]], headers: list[str], body: str
) -> None:
    """Path, query, headers and body of any characters arrive as they were meant."""
    encoded = quote(segment, safe="")
    raw = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, values in query.items()
        for value in values
    )
    made = event(
        "POST", f"/stage/{encoded}?{raw}", [("X-A", value) for value in headers], body.encode()
    )
    assert made["pathParameters"] == {"proxy": encoded}
    assert (made["multiValueQueryStringParameters"] or {}) == query
    assert made["multiValueHeaders"]["X-A"] == headers
    assert (made["body"] or "") == body


def test_stage_variables_are_the_stages() -> None:
    """They stand in the event; without any it is null."""
    made = event("GET", "/stage/a", [], variables={"model": "one"})
    assert made["stageVariables"] == {"model": "one"}
