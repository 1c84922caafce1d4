"""What a cell of CSV is."""


def is_number(cell: str) -> bool:
    """Whether a reader of CSV takes a cell for a number, or for one that is missing."""
    # float() takes 1_000 and digits of other scripts too, which no reader of CSV does.
    if "_" in cell or not cell.isascii():
        return not cell.strip()
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True
