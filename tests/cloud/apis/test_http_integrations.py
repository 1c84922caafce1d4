"""HTTP and HTTP_PROXY integrations of REST APIs, with a real server behind them."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.http_backend import is_local
from tests.cloud.apis.conftest import Answer, RestApi

MakeApi = Callable[..., RestApi]

# Every header of a request, as it was sent when AWS's answers were recorded.
ALL_HEADERS = {
    "Accept": "application/json",
    "Accept-Charset": "UTF-8",
    "Accept-Encoding": "br",
    "Age": "request_Age",
    "Authorization": "Unauthorized",
    "Connection": "close",
    "Content-Encoding": "deflate",
    "Content-MD5": "request_Content-MD5",
    "Content-Type": "application/json",
    "Date": "request_Date",
    "Max-Forwards": "2",
    "Pragma": "cache",
    "Proxy-Authenticate": "Basic",
    "Range": "bytes=500-999",
    "Referer": "https://example.com/",
    "Server": "https://example.com/",
    "TE": "deflate",
    "Trailer": "Expires",
    "Upgrade": "HTTP/2.0",
    "User-Agent": "localStack/0.0",
    "Via": "p.example.net",
    "Warn": "299 localStack/0.0",
    "WWW-Authenticate": "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
}
REMAPPED = (
    *("Authorization", "Connection", "Content-Length", "Content-MD5", "Date", "Expect", "Host"),
    *("Max-Forwards", "Proxy-Authenticate", "Server", "Trailer", "Upgrade", "User-Agent"),
    "WWW-Authenticate",
)


def seen(answer: Answer) -> dict[str, str]:
    """The headers that the server saw, names in lower case."""
    return {name.lower(): value for name, value in answer.json["headers"]}


@pytest.mark.recorded("notes/apis.md#http-integrations")
@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY"])
def test_the_status_passes_a_proxy_alone(rest_api: MakeApi, echo_url: str, kind: str) -> None:
    """Recorded 1 April 2024: a 400 of the server is a 400 behind HTTP_PROXY and a 200 behind HTTP."""
    api = rest_api()
    api.method(
        "GET",
        "/{status}",
        {
            "type": kind,
            "uri": f"{echo_url}/status/{{status}}",
            "integrationHttpMethod": "GET",
            "requestParameters": {"integration.request.path.status": "method.request.path.status"},
        },
    )
    api.deploy()
    assert api.call("GET", "/200").status == 200
    assert api.call("GET", "/400").status == (400 if kind == "HTTP_PROXY" else 200)


@pytest.mark.recorded("notes/apis.md#http-integrations")
@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY"])
@pytest.mark.parametrize("verb", ["POST", "PUT", "GET"])
def test_the_verb_is_the_integrations(
    rest_api: MakeApi, echo_url: str, kind: str, verb: str
) -> None:
    """Recorded 5 July 2024: whatever the client's verb, and with these headers."""
    api = rest_api()
    api.method("ANY", "/", {"type": kind, "uri": f"{echo_url}/x", "integrationHttpMethod": "POST"})
    api.deploy()
    answer = api.call(
        verb,
        body=b'{"message": "hello world"}',
        headers={
            "Content-Type": "application/json",
            "Accept": "application/xml",
            "User-Agent": "test/integration",
            "Accept-Encoding": "gzip, deflate",
        },
    )
    assert answer.json["method"] == "POST"
    assert answer.json["body"] == '{"message": "hello world"}'
    headers = seen(answer)
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == "26"
    assert headers["x-amzn-apigateway-api-id"] == api.id
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    if kind == "HTTP":
        assert headers["accept"] == "application/json"
        assert headers["user-agent"] == f"AmazonAPIGateway_{api.id}"
        assert "accept-encoding" not in headers
    else:
        assert headers["accept"] == "application/xml"
        assert headers["user-agent"] == "test/integration"
        assert headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.recorded("notes/apis.md#http-integrations")
def test_mapped_parameters_of_a_proxy(rest_api: MakeApi, echo_url: str) -> None:
    """Recorded 18 July 2024: the URI's own query first, then the client's, then what is mapped."""
    api = rest_api()
    method = {
        "method.request.header.foobar": True,
        "method.request.querystring.testVar": True,
        "method.request.path.pathVariable": True,
        "method.request.querystring.testQueryString": True,
        "method.request.header.emptyheader": True,
    }
    api.method(
        "ANY",
        "/{pathVariable}",
        {
            "type": "HTTP_PROXY",
            "uri": f"{echo_url}/?testVar={{pathVar}}&testQs={{qsVar}}",
            "integrationHttpMethod": "ANY",
            "requestParameters": {
                "integration.request.header.headerVar": "method.request.header.foobar",
                "integration.request.path.qsVar": "method.request.querystring.testVar",
                "integration.request.path.pathVar": "method.request.path.pathVariable",
                "integration.request.querystring.queryString": (
                    "method.request.querystring.testQueryString"
                ),
                "integration.request.querystring.testQs": (
                    "method.request.querystring.testQueryString"
                ),
                "integration.request.querystring.testEmptyQs": "method.request.header.emptyheader",
            },
        },
        requestParameters=method,
    )
    api.deploy()
    answer = api.call(
        "POST",
        "/foobar?testQueryString=foo&testVar=bar",
        body=b'{"message": "hello world"}',
        headers={"Content-Type": "application/json", "foobar": "mapped-value", "headerVar": "x"},
    )
    query: dict[str, list[str]] = {}
    for item in answer.json["query"].split("&"):
        name, _, value = item.partition("=")
        query.setdefault(name, []).append(value)
    assert query == {
        "queryString": ["foo"],
        "testQs": ["bar", "foo"],
        "testQueryString": ["foo"],
        "testVar": ["foobar", "bar"],
    }
    assert (seen(answer)["foobar"], seen(answer)["headervar"]) == ("mapped-value", "mapped-value")


@pytest.mark.recorded("notes/apis.md#headers")
def test_headers_of_a_proxy(rest_api: MakeApi, echo_url: str) -> None:
    """Recorded 11 December 2024: which of all headers the server sees, and which of its own come back."""
    api = rest_api()
    api.method(
        "GET", "/", {"type": "HTTP_PROXY", "uri": f"{echo_url}/", "integrationHttpMethod": "POST"}
    )
    api.deploy()
    answer = api.call("GET", headers=ALL_HEADERS)
    headers = seen(answer)
    del headers["x-amzn-trace-id"]
    assert headers.pop("host") in echo_url
    assert headers.pop("content-length") == "0"
    assert headers == {
        "accept": "application/json",
        "accept-charset": "UTF-8",
        "accept-encoding": "br",
        "age": "request_Age",
        "authorization": "Unauthorized",
        "content-type": "application/json",
        "date": "request_Date",
        "pragma": "cache",
        "range": "bytes=500-999",
        "referer": "https://example.com/",
        "user-agent": "localStack/0.0",
        "warn": "299 localStack/0.0",
        "x-amzn-apigateway-api-id": api.id,
    }
    length = str(len(answer.body))
    assert answer.header("x-amzn-remapped-content-length") == length
    assert answer.header("content-length") == length
    assert answer.header("x-amzn-remapped-date")
    assert "Python" in (answer.header("x-amzn-remapped-server") or "")
    assert answer.header("x-amzn-remapped-x-amzn-requestid") == "the-echo's-own"
    assert answer.header("x-amzn-requestid") != "the-echo's-own"
    assert answer.header("x-echo") == "yes"
    for name in ("server", "content-encoding", "x-amzn-trace-id"):
        assert answer.header(name) is None


@pytest.mark.recorded("notes/apis.md#headers")
def test_headers_without_a_proxy(rest_api: MakeApi, echo_url: str) -> None:
    """Recorded 11 December 2024: mapped ones alone reach the server, and come back, some renamed."""
    names = [name for name in ALL_HEADERS if name not in ("Connection",)]
    api = rest_api()
    template = "{" + ",".join(f'"{n}": "$input.params(\'{n}\')"' for n in ALL_HEADERS) + "}"
    api.method(
        "GET",
        "/",
        {
            "type": "HTTP",
            "uri": f"{echo_url}/",
            "integrationHttpMethod": "POST",
            "requestTemplates": {"application/json": template},
            "requestParameters": {
                "integration.request.header.Accept": "'text/html'",
                "integration.request.header.User-Agent": "'Override-Agent'",
                "integration.request.header.Age": "'request_params_age'",
                "integration.request.header.Max-Forwards": "'2'",
                "integration.request.header.Via": "'dropped'",
            },
        },
        [
            {
                "statusCode": "200",
                "responseParameters": {
                    f"method.response.header.{name}": f"'response_param_{name}'"
                    for name in (*names, "Connection", "Content-Length", "Expect", "Host")
                },
                "responseTemplates": {
                    "application/json": "$input.path('$.body')|$input.json('$.headers')"
                },
            }
        ],
    )
    api.deploy()
    answer = api.call("GET", headers=ALL_HEADERS)
    body, _, headers = answer.body.decode().partition("|")
    dropped = {
        *("Connection", "Content-MD5", "Max-Forwards", "Proxy-Authenticate", "Server", "TE"),
        *("Trailer", "Upgrade", "WWW-Authenticate"),
    }
    for name, value in ALL_HEADERS.items():
        assert f'"{name}": "{"" if name in dropped else value}"' in body
    for pair in (
        '["Accept","text/html"]',
        '["User-Agent","Override-Agent"]',
        '["Age","request_params_age"]',
        '["Max-Forwards","2"]',
    ):
        assert pair in headers
    assert "dropped" not in headers
    assert "Referer" not in headers
    for name in (*names, "Content-Length", "Expect", "Host", "Connection"):
        sent = f"x-amzn-remapped-{name}" if name in REMAPPED else name
        if name != "Content-Length":
            assert answer.header(sent.lower()) == f"response_param_{name}"
    assert (answer.header("x-amzn-trace-id") or "").startswith("Root=1-")


@pytest.mark.recorded("notes/apis.md#headers")
@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY"])
@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding"])
def test_headers_that_nobody_may_write(
    rest_api: MakeApi, echo_url: str, kind: str, name: str
) -> None:
    """Recorded 11 December 2024: requestParameters that write them make a call 500."""
    api = rest_api()
    api.method(
        "GET",
        "/",
        {
            "type": kind,
            "uri": echo_url,
            "integrationHttpMethod": "POST",
            "requestParameters": {f"integration.request.header.{name}": "''"},
        },
    )
    api.deploy()
    answer = api.call("GET")
    assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
    assert answer.header("x-amzn-errortype") == "InternalServerErrorException"


@pytest.mark.documented("notes/apis.md#templates")
def test_overrides_of_a_request(rest_api: MakeApi, echo_url: str) -> None:
    """A template's requestOverride writes headers, path and query; another integration response is selected."""
    api = rest_api()
    template = """#set($context.requestOverride.header.X-Over = "h")
#set($context.requestOverride.path.p = "status/503")
#set($context.requestOverride.querystring.q = ["1", "2"])
{"sum": $input.json('$.a')}"""
    api.method(
        "POST",
        "/",
        {
            "type": "HTTP",
            "uri": f"{echo_url}/{{p}}",
            "integrationHttpMethod": "POST",
            "requestTemplates": {"application/json": template},
        },
        [
            {"statusCode": "200"},
            {
                "statusCode": "500",
                "selectionPattern": r"5\d{2}",
                "responseTemplates": {"application/json": "$input.body"},
                "responseParameters": {
                    "method.response.header.X-Was": "integration.response.header.X-Echo",
                    "method.response.header.X-Path": "integration.response.body.path",
                },
            },
        ],
    )
    api.deploy()
    answer = api.call("POST", body=b'{"a": [1, 2]}')
    assert answer.status == 500
    assert answer.json["body"] == '{"sum": [1,2]}'
    assert answer.json["query"] == "q=1&q=2"
    assert seen(answer)["x-over"] == "h"
    assert answer.header("x-was") == "yes"
    assert answer.header("x-path") == "/status/503"


@pytest.mark.documented("notes/apis.md#limits")
@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY"])
def test_a_server_that_says_nothing_is_given_up(
    rest_api: MakeApi, echo_url: str, kind: str
) -> None:
    """504 after the integration's own time."""
    api = rest_api()
    api.method(
        "GET",
        "/",
        {
            "type": kind,
            "uri": f"{echo_url}/silent",
            "integrationHttpMethod": "GET",
            "timeoutInMillis": 50,
        },
    )
    api.deploy()
    answer = api.call("GET")
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.assumed("notes/apis.md#http-integrations")
def test_a_server_that_is_not_there(rest_api: MakeApi, echo_url: str) -> None:
    """504 for a port where nobody listens, 500 for an answer that is too large."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    api = rest_api()
    integration: dict[str, Any] = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET"}
    api.method("GET", "/gone", {**integration, "uri": f"http://127.0.0.1:{port}/"})
    api.method("GET", "/large", {**integration, "uri": f"{echo_url}/large"})
    api.deploy()
    answer = api.call("GET", "/gone")
    assert answer.status == 504
    assert answer.json == {"message": "Network error communicating with endpoint"}
    assert api.call("GET", "/large").status == 500


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000/x", True),
        ("http://app.localhost/", True),
        ("https://127.1.2.3/", True),
        ("http://[::1]:1/", True),
        ("http://example.com/", False),
        ("http://localhost.example.com/", False),
        ("http://localhost@example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://0.0.0.0/", False),
        ("http://169.254.169.254/latest/meta-data/", False),
        ("file:///etc/passwd", False),
        ("http://[::1", False),
        ("http://127.0.0.1:99999/", False),
        ("", False),
    ],
)
def test_addresses_of_this_machine(url: str, expected: bool) -> None:
    """Loopback by its number or as localhost, and nothing else."""
    assert is_local(url) is expected


@given(st.text(max_size=30))
def test_no_address_confuses_it(url: str) -> None:
    """Any text is an address of this machine or not."""
    assert is_local(url) in (True, False)
