"""What the gateway reads of a request: headers and parameters as they were sent."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.apis.requests import query_parameters, read
from harness.cloud.http import HEADER_NAMES

NOW = datetime(2026, 11, 21, 1, 53, 55, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def scope(headers: list[tuple[str, str]], query: str = "") -> dict[str, Any]:
    """A scope with headers whose names the server has kept."""
    return {
        "method": "GET",
        "headers": [(name.lower().encode(), value.encode("utf-8")) for name, value in headers],
        "extensions": {HEADER_NAMES: {"names": [name.encode() for name, _ in headers]}},
        "query_string": query.encode(),
        "server": ("127.0.0.1", 4580),
        "client": ("127.0.0.1", 50000),
    }


@pytest.mark.recorded("notes/apis.md#events")
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=6))
def test_a_query_comes_back(pairs: list[tuple[str, str]]) -> None:
    """Names and values of any text, repeated ones too, encoded with %20 or with a plus."""
    for encode in (lambda text: quote(text, safe=""), quote_plus):
        raw = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
        assert pairs == list(query_parameters(raw))


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_no_query_confuses_it(raw: str) -> None:
    """Any bytes between & and = are parameters or nothing."""
    assert all(isinstance(value, str) for pair in query_parameters(raw) for value in pair)


@pytest.mark.recorded("notes/apis.md#events")
def test_header_names_stand_as_they_were_sent() -> None:
    """Recorded 2 August 2024: odd ones too, but Authorization and User-Agent are always written so."""
    request = read(
        scope([("tEsT-HEADeR", "aValUE"), ("aUThorization", "x"), ("user-Agent", "y")]), b"", NOW
    )
    assert request.headers == (
        ("tEsT-HEADeR", "aValUE"),
        ("Authorization", "x"),
        ("User-Agent", "y"),
    )
    assert request.header("TEST-header") == "aValUE"


@pytest.mark.recorded("notes/apis.md#headers")
@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Content-Length",
        "Content-MD5",
        "Expect",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Server",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "WWW-Authenticate",
    ],
)
def test_some_headers_go_no_further(name: str) -> None:
    """Recorded 11 December 2024: no integration sees them."""
    assert read(scope([(name, "x"), ("Via", "y")]), b"", NOW).headers == (("Via", "y"),)


@given(st.lists(TEXT.map(str.strip), min_size=1, max_size=4))
def test_header_values_of_any_text_come_back(values: list[str]) -> None:
    """UTF-8 is read as such, and repeated headers keep their order."""
    request = read(scope([("X-A", value) for value in values]), b"", NOW)
    assert [value for _, value in request.headers] == values
    assert request.header("x-a") == values[-1]


def test_a_trace_goes_on() -> None:
    """The Root of a trace header is kept; without one there is a new trace."""
    root = "Root=1-67891233-abcdef012345678912345678"
    request = read(scope([("X-Amzn-Trace-Id", f"Self=1;{root};Sampled=1")]), b"", NOW)
    assert request.trace_id == root
    assert read(scope([]), b"", NOW).trace_id.startswith("Root=1-6b00f9b3-")
