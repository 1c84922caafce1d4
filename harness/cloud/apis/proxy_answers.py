"""What a proxied function's answer means over HTTP: payloads 1.0 and 2.0. Pure functions.

An answer that is not of the form is MalformedAnswer, which says what is wrong with it.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_COOKIES = "cookies"
# RFC 9110's token; anything else cannot stand on the wire.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedAnswer(Exception):
    """The function's answer is no proxy answer."""


class UndecodableBody(Exception):
    """The body says that it is base64 and is not."""


@dataclass(frozen=True)
class ProxyAnswer:
    """An HTTP answer in the making. Header names are as the function wrote them."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_version_1(payload: bytes, *, binary: bool) -> ProxyAnswer:
    """The answer of payload 1.0; with `binary` a base64 body is decoded, else sent as it stands.

    Raises MalformedAnswer, UndecodableBody.
    """
    answer = _parse(payload)
    if not isinstance(answer, dict):
        raise MalformedAnswer("it is no JSON object")
    if unknown := sorted(answer.keys() - _KEYS):
        raise MalformedAnswer(f"it has a key {unknown[0]!r}")
    headers = _merge(_object(answer, "multiValueHeaders"), _object(answer, "headers"))
    text = _body(answer)
    encoded = _flag(answer)
    body = _decoded(text) if encoded and binary else text.encode("utf-8", "replace")
    return ProxyAnswer(_status(answer.get("statusCode")), _with_content_type(tuple(headers)), body)


def read_version_2(payload: bytes) -> ProxyAnswer:
    """The answer of payload 2.0: without a status code the whole payload is the body.

    Raises MalformedAnswer, UndecodableBody.
    """
    answer = _parse(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode("utf-8", "replace") if isinstance(answer, str) else payload
        return ProxyAnswer(200, (("content-type", "application/json"),), body)
    headers = list(_merge({}, _object(answer, "headers")))
    cookies = answer.get(_COOKIES)
    if cookies is not None:
        if not isinstance(cookies, list) or not all(isinstance(c, str) for c in cookies):
            raise MalformedAnswer("its cookies are no list of texts")
        headers += [_header("set-cookie", cookie) for cookie in cookies]
    text = _body(answer)
    body = _decoded(text) if _flag(answer) else text.encode("utf-8", "replace")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("content-type", "text/plain;charset=UTF-8"))
    return ProxyAnswer(_status(answer["statusCode"]), tuple(headers), body)


def _parse(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise MalformedAnswer("it is no JSON") from None


def _object(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedAnswer(f"its {name} is no object")
    return value


def _status(value: Any) -> int:
    if value is None:
        return 200
    if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value):
        value = int(value)
    # Below 200 an answer is not the last one, and no client would see its body.
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise MalformedAnswer(f"its statusCode is {value!r}")
    return value


def _body(answer: Mapping[str, Any]) -> str:
    body = answer.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswer("its body is no text")
    return body or ""


def _flag(answer: Mapping[str, Any]) -> bool:
    flag = answer.get("isBase64Encoded")
    if flag is not None and not isinstance(flag, bool):
        raise MalformedAnswer("its isBase64Encoded is neither true nor false")
    return bool(flag)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UndecodableBody("the body is no base64") from None


def _merge(multi: Mapping[str, Any], single: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Both as one list: the lists' values first, and of an equal pair the list's alone."""
    written: dict[str, str] = {}
    pairs = set()
    for name, values in multi.items():
        if not isinstance(values, list):
            raise MalformedAnswer(f"multiValueHeaders has no list under {name!r}")
        written.setdefault(name.lower(), name)
        for value in values:
            pair = _header(name, value)
            pairs.add((name.lower(), pair[1]))
            yield pair
    for name, value in single.items():
        pair = _header(written.get(name.lower(), name), value)
        if (name.lower(), pair[1]) not in pairs:
            yield pair


def _header(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise MalformedAnswer(f"its header {name!r} is no text")
    if not _NAME.fullmatch(name) or _UNSENDABLE.search(value):
        raise MalformedAnswer(f"its header {name!r} cannot be sent")
    return name, value


def _with_content_type(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (("Content-Type", "application/json"), *headers)
