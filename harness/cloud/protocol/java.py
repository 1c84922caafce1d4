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
    """Double.toString: at least one decimal, E notation outside 1e-3 to 1e7."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = f"{number:f}" if "e" in repr(number) else repr(number)
        return text if "." in text else f"{text}.0"
    mantissa, _, exponent = f"{number!r}".partition("e")
    if not exponent:
        digits = mantissa.lstrip("-").split(".")[0]
        exponent = str(len(digits) - 1)
        whole = mantissa.lstrip("-").replace(".", "")
        mantissa = ("-" if number < 0 else "") + whole[0] + "." + (whole[1:].rstrip("0") or "0")
    elif "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{int(exponent)}"


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
