"""Payloads: what a caller may send, and what the service answers in a function's stead."""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from harness.cloud.errors import AwsError
from harness.containers.spec import Exit

_PLACE = (
    "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
    "line: {line}, column: {column}]"
)
_VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
_WORD = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
# Of Python's parser, in the words of AWS's.
_EXPECTED = {
    "Expecting value": f"expected a valid value ({_VALUES})",
    "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
    "Expecting ',' delimiter": "was expecting comma to separate entries",
    "Expecting property name enclosed in double quotes": (
        "was expecting double-quote to start field name"
    ),
}

EXIT_ERROR = "Runtime.ExitError"

# As Go, in which AWS's sandbox is written, calls the signals of Linux.
_SIGNALS = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    11: "segmentation fault",
    12: "user defined signal 2",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
}


@dataclass(frozen=True)
class Failure:
    """What befell a function that did not answer by itself. `kind` is AWS's errorType."""

    kind: str
    message: str

    @property
    def payload(self) -> bytes:
        """The answer to the caller."""
        return json.dumps({"errorType": self.kind, "errorMessage": self.message}).encode()


def timed_out(request_id: str, seconds: float) -> Failure:
    """The function did not answer in time."""
    return Failure(
        "Sandbox.Timedout",
        f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds",
    )


def exited(request_id: str, exit: Exit) -> Failure:
    """The function's process ended."""
    return Failure(EXIT_ERROR, f"RequestId: {request_id} Error: {_how(exit)}")


def _how(exit: Exit) -> str:
    if exit.ok:
        return "Runtime exited without providing a reason"
    if exit.signal is not None:
        name = _SIGNALS.get(exit.signal, f"signal {exit.signal}")
        return f"Runtime exited with error: signal: {name}"
    return f"Runtime exited with error: exit status {exit.code}"


def error_type(payload: bytes) -> str:
    """The errorType of an error that the runtime client has reported."""
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, LookupError, TypeError):
        return "Runtime.Unknown"


def response_too_large(limit: int) -> bytes:
    """The function answered, but with too much."""
    return json.dumps(
        {
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            f"({limit} bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
    ).encode()


def check_json(payload: bytes) -> None:
    """Raise InvalidRequestContentException for a payload that is no JSON, in the words of AWS's parser."""
    try:
        json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise AwsError(
            "InvalidRequestContentException",
            "Could not parse request body into json: Could not parse payload into json: "
            + _complaint(payload),
        ) from None


class _Constant(ValueError):
    """NaN or an infinity, which JSON does not have."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _complaint(payload: bytes) -> str:
    """What is wrong, and where: counted in bytes, since the text may be no UTF-8."""
    text = payload.decode("latin-1")
    bad = _undecodable(payload)
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place, what = error.pos, error.msg
    except _Constant as error:
        return f"Non-standard token '{error}'" + _place(text, text.find(str(error)))
    except RecursionError:
        return "Document nesting depth exceeds the maximum allowed" + _place(text, len(text))
    except ValueError:  # Python's limit for digits
        return "Number value length exceeds the maximum allowed" + _place(text, len(text))
    else:
        place, what = len(text), ""
    word = _WORD.match(text, place) if what == "Expecting value" else None
    if bad is not None and bad < max(place, word.end() + 1 if word else 0):
        # The parser has read one byte more than it can name.
        return f"Invalid UTF-8 start byte 0x{payload[bad]:02x}" + _place(text, bad + 1)
    if word is not None:
        token = f"Unrecognized token '{word[0]}': was expecting ({_VALUES})"
        return token + _place(text, word.end())
    if place >= len(text):
        return "Unexpected end-of-input" + _place(text, place)
    expected = _EXPECTED.get(what, what.lower())
    return f"Unexpected character ({_character(text[place])}): {expected}" + _place(text, place)


def _undecodable(payload: bytes) -> int | None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _character(character: str) -> str:
    code = ord(character)
    if code < 0x20 or 0x7F <= code <= 0x9F:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code})"


def _place(text: str, place: int) -> str:
    line = text.count("\n", 0, place) + 1
    return _PLACE.format(line=line, column=place - (text.rfind("\n", 0, place) + 1) + 1)
