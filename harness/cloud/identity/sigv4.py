"""AWS Signature Version 4: what a request claims, and what its signature should be."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from harness.cloud.errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_TERMINATOR = "aws4_request"
_BASIC = "%Y%m%dT%H%M%SZ"
_BASIC_FORM = re.compile(r"\d{8}T\d{6}Z")
_QUERY_NAMES = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date")

RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Signature:
    """What a request says about how it was signed.

    `scope_date` is the credential scope's YYYYMMDD, `date` the request's own time. `expires` is the
    validity in seconds of a presigned request, None for one signed in its headers.
    """

    access_key_id: str
    scope_date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    date: datetime
    session_token: str | None
    expires: int | None = None

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.scope_date}/{self.region}/{self.service}/{_TERMINATOR}"


def basic(moment: datetime) -> str:
    """A time in ISO 8601's basic format, as signatures carry it."""
    return moment.strftime(_BASIC)


def read(headers: RawHeaders, query: bytes) -> Signature:
    """The signature of a request, from its Authorization header or its query.

    Raises MissingAuthenticationTokenException, IncompleteSignatureException or
    InvalidSignatureException.
    """
    by_name: dict[bytes, str] = {}
    for name, value in headers:
        by_name.setdefault(name, value.decode("latin-1"))
    authorization = by_name.get(b"authorization")
    presigned = b"X-Amz-Algorithm" in query
    if authorization is not None and presigned:
        raise AwsError(
            "InvalidSignatureException",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP "
            "header.",
        )
    if authorization is not None and authorization.startswith("AWS4-"):
        return _from_header(authorization, by_name)
    if presigned:
        return _from_query(query)
    raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")


def _from_header(authorization: str, headers: Mapping[bytes, str]) -> Signature:
    algorithm, _, rest = authorization.partition(" ")
    fields: dict[str, str] = {}
    for item in re.split(r"[,\s]+", rest.strip()):
        name, equals, value = item.partition("=")
        if item and not equals:
            raise _incomplete(
                f"'{item}' not a valid key=value pair (missing equal-sign) in Authorization "
                f"header: '{authorization}'."
            )
        fields[name] = value
    faults = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not fields.get(name)
    ]
    date = headers.get(b"x-amz-date") or headers.get(b"date")
    if not date:
        faults.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if not date or faults:
        raise _incomplete(f"{' '.join(faults)} Authorization={algorithm}")
    return _signature(
        algorithm,
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        date,
        headers.get(b"x-amz-security-token"),
        None,
    )


def _from_query(query: bytes) -> Signature:
    fields = {unquote(name): unquote(value) for name, value in _pairs(query)}
    faults = [
        f"AWS query-string parameters must include 'X-Amz-{name}'."
        for name in _QUERY_NAMES
        if not fields.get(f"X-Amz-{name}")
    ]
    if faults:
        raise _incomplete(f"{' '.join(faults)} Re-examine the query-string parameters.")
    expires = fields.get("X-Amz-Expires", "900")
    if not expires.isascii() or not expires.isdigit() or not 1 <= int(expires[:9]) <= 604800:
        raise _incomplete("X-Amz-Expires must be a number of seconds between 1 and 604800.")
    return _signature(
        fields["X-Amz-Algorithm"],
        fields["X-Amz-Credential"],
        fields["X-Amz-SignedHeaders"],
        fields["X-Amz-Signature"],
        fields["X-Amz-Date"],
        fields.get("X-Amz-Security-Token"),
        int(expires),
    )


def _signature(
    algorithm: str,
    credential: str,
    signed_headers: str,
    signature: str,
    date: str,
    session_token: str | None,
    expires: int | None,
) -> Signature:
    moment = _moment(date)
    names = tuple(signed_headers.lower().split(";"))
    if "host" not in names:
        raise _invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    elements = credential.rstrip("/").split("/")
    if len(elements) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        )
    access_key_id, scope_date, region, service, terminator = elements
    faults = []
    if not re.fullmatch(r"[a-z0-9-]+", region):
        faults.append(f"Credential should be scoped to a valid region, not '{region}'. ")
    if terminator != _TERMINATOR:
        faults.append(
            f"Credential should be scoped with a valid terminator: '{_TERMINATOR}', "
            f"not '{terminator}'. "
        )
    if scope_date != basic(moment)[:8]:
        faults.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{scope_date}' != '{basic(moment)[:8]}', from '{basic(moment)}'."
        )
    if faults:
        raise _invalid("".join(faults))
    return Signature(
        access_key_id, scope_date, region, service, names, signature, moment, session_token, expires
    )


def _moment(text: str) -> datetime:
    try:
        if _BASIC_FORM.fullmatch(text):
            return datetime.fromisoformat(text)
        moment = parsedate_to_datetime(text)
        # Without a zone, or with -0000 as botocore writes it, it is UTC and not this machine's time.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{text}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None


def _incomplete(message: str) -> AwsError:
    return AwsError("IncompleteSignatureException", message)


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidSignatureException", message)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in query.decode("latin-1").split("&") if pair)
    return [(name, value) for name, _, value in pairs]


def canonical_request(signature: Signature, scope: Mapping[str, Any], payload_hash: str) -> str:
    """The text whose hash is signed; `scope` is an ASGI scope with the raw path.

    Raises InvalidSignatureException if a signed header is not there.
    """
    wanted = dict.fromkeys(signature.signed_headers, "")
    values: dict[str, list[str]] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if name in wanted:
            values.setdefault(name, []).append(" ".join(raw_value.decode("latin-1").split()))
    lines = []
    for name in sorted(wanted):
        if name not in values:
            raise _invalid(_MISMATCH)
        lines.append(f"{name}:{','.join(values[name])}")
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw_path.decode("latin-1")
    return "\n".join(
        (
            scope["method"],
            path or "/" if signature.service == "s3" else _canonical_path(path),
            _canonical_query(scope.get("query_string", b"")),
            *lines,
            "",
            ";".join(sorted(wanted)),
            payload_hash,
        )
    )


def _canonical_path(path: str) -> str:
    """Without dot segments and empty ones, percent-encoded once more than it was sent."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    trailing = "/" if kept and path.endswith("/") else ""
    return quote("/" + "/".join(kept) + trailing, safe="/~", encoding="latin-1")


def _canonical_query(query: bytes) -> str:
    if not query:
        return ""
    encoded = (
        (_encoded(name), _encoded(value))
        for name, value in _pairs(query)
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encoded(text: str) -> str:
    return quote(unquote(text, "latin-1"), safe="-_.~", encoding="latin-1")


def expected(signature: Signature, secret: str, canonical: str) -> str:
    """The signature, in hexadecimal, that the holder of `secret` would have made."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{basic(signature.date)}\n{signature.scope}\n{digest}"
    key = _signing_key(secret, signature.scope_date, signature.region, signature.service)
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, _TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


def check(signature: Signature, secret: str, canonical: str) -> None:
    """Raise InvalidSignatureException unless `secret` made the signature."""
    made = expected(signature, secret, canonical)
    if not hmac.compare_digest(made.encode(), signature.signature.encode("utf-8", "replace")):
        raise _invalid(_MISMATCH)
