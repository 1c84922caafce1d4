"""The one exception of the codecs: what is wrong, where, and what was expected there."""


class FormatError(ValueError):
    """Data that is not what its format demands, or that the format cannot hold.

    Positions that apply are set, the others are None: `record` counts records from 0, `offset` is in
    bytes from the start of the data, `line` and `column` count from 1 as editors do.
    """

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        record: int | None = None,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.problem = problem
        self.expected = expected
        self.record = record
        self.offset = offset
        self.line = line
        self.column = column
        places = [
            f"{name} {value}"
            for name, value in (
                ("record", record),
                ("byte", offset),
                ("line", line),
                ("column", column),
            )
            if value is not None
        ]
        text = f"{', '.join(places)}: {problem}" if places else problem
        super().__init__(f"{text} (expected {expected})" if expected else text)
