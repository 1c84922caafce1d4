"""Bytes that a program prints, as they come, to lines of text."""

LARGEST = 256 * 1024 - 26
"""Bytes of UTF-8 in a line: CloudWatch Logs counts 26 for each event and takes 256 KiB in all."""


class LineSplitter:
    r"""Splits a stream at \n and \r\n.

    A line over `largest` bytes comes in pieces, cut between characters. What is not UTF-8 becomes
    U+FFFD. Holds at most `largest` bytes from one `feed` to the next.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in `data`, and full pieces of the one that does not."""
        head, newline, tail = data.rpartition(b"\n")
        lines: list[str] = []
        if newline:
            self._rest += head
            for line in bytes(self._rest).split(b"\n"):
                lines += self._pieces(line.removesuffix(b"\r"))
            self._rest.clear()
        self._rest += tail
        # One byte more than fits may be the \r of a \r\n that is still to come.
        while len(self._rest) > self._largest + 1:
            cut = _boundary(self._rest, self._largest)
            lines += self._pieces(bytes(self._rest[:cut]))
            del self._rest[:cut]
        return lines

    def finish(self) -> list[str]:
        """The last line, if it did not end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return self._pieces(rest) if rest else []

    def _pieces(self, line: bytes) -> list[str]:
        text = line.decode("utf-8", "replace")
        if len(text) * 3 <= self._largest or len(encoded := text.encode("utf-8")) <= self._largest:
            return [text]
        pieces = []
        while len(encoded) > self._largest:
            cut = _boundary(encoded, self._largest)
            pieces.append(encoded[:cut].decode("utf-8"))
            encoded = encoded[cut:]
        return [*pieces, encoded.decode("utf-8")]


def _boundary(data: bytes | bytearray, limit: int) -> int:
    """The largest place up to `limit` that is not inside a character."""
    for place in range(limit, max(limit - 4, 0), -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return limit
