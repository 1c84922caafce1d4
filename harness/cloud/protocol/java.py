"""How Java prints values: AWS's messages quote what a request held in that form."""

import math
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.cloud.protocol.models import Shape

# Structures of AWS's framework have no toString of their own: Object's prints class and hash.
# The package's name is a guess (docs/notes/validation.md, "How values are printed").
PACKAGE = "com.amazonaws.sagemaker"


def to_string(shape: Shape, value: Any) -> str:
    """`value` as `String.valueOf` has it; `shape` tells structures from maps."""
    if value is None:
        return "null"
    match shape.type:
        case "boolean":
            return "true" if value else "false"
        case "float" | "double":
            return _float(float(value))
        case "timestamp":
            return _date(value)
        case "blob":
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case "list":
            return "[" + ", ".join(to_string(shape.member, element) for element in value) + "]"
        case "map":
            entries = (f"{k}={to_string(shape.value, v)}" for k, v in value.items())
            return "{" + ", ".join(entries) + "}"
        case "structure":
            return f"{PACKAGE}.{shape.name}@{_hash(shape, value):x}"
    return str(value)


def _float(number: float) -> str:
    """Double.toString: at least one decimal; scientific below 1e-3 and from 1e7 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    mantissa, _, power = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:].rstrip('0') or '0'}E{exponent}"


def _date(moment: datetime) -> str:
    """Date.toString in UTC, whatever the process's locale."""
    moment = moment.astimezone(UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[moment.month * 3 - 3 : moment.month * 3]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment.year}"


def _hash(shape: Shape, value: Mapping[str, Any]) -> int:
    """A hash of the content, the same in every process."""
    text = "\0".join(
        f"{name}\0{to_string(shape.members[name].shape, value[name])}" for name in sorted(value)
    )
    return zlib.crc32(text.encode())
