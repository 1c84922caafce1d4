"""What a line of libsvm looks like, and where one that looks otherwise goes wrong.

Blocks of lines are matched as a whole. No quantifier gives back what it took, so a bad line costs no more
than a good one.
"""

import re

from harness.formats.errors import FormatError
from harness.formats.lines import BYTE_ORDER_MARK, Block

_NUMBER = (
    rb"[-+]?+(?>(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+"
    rb"|(?i:nan|inf(?:inity)?+))"
)
_PAIR = rb"[0-9]++:" + _NUMBER
_QUERY = rb"qid:[0-9]++"
_BLANKS = rb"[ \t]++"
_COMMENT = rb"(?:#[^\n]*+)?+"


def _lines(beginning: bytes) -> re.Pattern[bytes]:
    line = (
        rb"[ \t]*+(?:" + beginning + rb"(?:" + _BLANKS + _PAIR + rb")*+[ \t]*+)?+"
        + _COMMENT + rb"\r?+"
    )  # fmt: skip
    return re.compile(rb"(?:" + line + rb"\n)*+" + line)


_QUERY_NEXT = rb"(?:" + _BLANKS + _QUERY + rb")?+"
_LABEL = _NUMBER + rb"(?::" + _NUMBER + rb")?+"
# A first number before a colon is a label that has a weight, or an index where there need be no label.
_LABELED = _lines(_LABEL + _QUERY_NEXT)
_UNLABELED = _lines(rb"(?>" + _PAIR + rb"|" + _QUERY + rb"|" + _NUMBER + _QUERY_NEXT + rb")")

_TOKEN = re.compile(rb"[^ \t]++")
_SHOWN = 20


def examine(block: Block, *, labels: bool) -> tuple[Block, FormatError | None]:
    """The lines of a block up to the first that is not libsvm, and what is wrong with that one.

    `labels` says whether each line must begin with a label.
    """
    data = block.data
    match = (_LABELED if labels else _UNLABELED).match(data)
    end = match.end() if match else 0
    if end == len(data):
        return block, None
    start = data.rfind(b"\n", 0, end) + 1
    newline = data.find(b"\n", start)
    line = data[start:] if newline < 0 else data[start:newline]
    good = Block(data[:start], block.line, block.offset)
    number = block.line + data.count(b"\n", 0, start)
    return good, _fault(Block(line, number, block.offset + start), labels)


def _fault(line: Block, labels: bool) -> FormatError:
    if line.offset == 0 and line.data.startswith(BYTE_ORDER_MARK):
        return _error(line, 0, "a byte order mark", "a label")
    text, comment, _ = line.data.partition(b"#")
    if not comment:
        text = text.removesuffix(b"\r")
    query_may_stand = True
    for place, match in enumerate(_TOKEN.finditer(text)):
        token = match.group()
        shown = token[:_SHOWN].decode("utf-8", "replace")
        problem = f"found {shown + '...' if len(token) > _SHOWN else shown!r}"
        if place == 0 and labels:
            if not re.fullmatch(_LABEL, token):
                return _error(line, match.start(), problem, "a label, or label:weight")
        elif place == 0 and re.fullmatch(_NUMBER, token):
            continue
        else:
            is_query = query_may_stand and re.fullmatch(_QUERY, token)
            if not is_query and not re.fullmatch(_PAIR, token):
                return _error(line, match.start(), problem, "index:value")
            query_may_stand = False
    raise AssertionError("a line that is libsvm after all")


def _error(line: Block, at: int, problem: str, expected: str) -> FormatError:
    return FormatError(
        problem, expected=expected, line=line.line, column=at + 1, offset=line.offset + at
    )
