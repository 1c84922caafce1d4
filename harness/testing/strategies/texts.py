"""Text that breaks careless codecs: separators, quotes, and whatever some reader takes for a line's end."""

from hypothesis import strategies as st

#: Each of them ends a line for `str.splitlines`; JSON and RFC 4180 know only the first two.
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

_PIECES = [
    ",", ";", "\t", '"', '""', "'", "\\", "\\n", " ", "", "nan", "NaN", "-inf", "null", "True", "1e5",
    "0x1", "1_000", "#", "=1+1", "{", "]", "é", "e\u0301", "٣", "日本", "😀", "\u202e", "\ufeff", "\x00", "\xa0",
]  # fmt: skip
_BREAKS = [*LINE_BREAKS, "\r\n"]


def awkward_text(*, line_breaks: bool = True, max_size: int = 6) -> st.SearchStrategy[str]:
    """Up to `max_size` pieces of text that UTF-8 can encode.

    Among them are quotes, commas, backslashes, a byte order mark, NUL, letters of several scripts and
    of more than one code point, words that some readers take for numbers, and, with `line_breaks`,
    CR, LF, CRLF and the rest of `LINE_BREAKS`. Shrinks to the empty string, and to plain characters.
    """
    plain = st.characters(codec="utf-8", exclude_characters=LINE_BREAKS)
    pieces = [*_PIECES, *_BREAKS] if line_breaks else _PIECES
    return st.lists(plain | st.sampled_from(pieces), max_size=max_size).map("".join)
