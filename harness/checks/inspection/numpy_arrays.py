"""The header of a numpy array, which says all but the numbers; no built-in algorithm takes one."""

from typing import BinaryIO

import numpy as np

from harness.checks.inspection.report import Contents, Findings
from harness.formats import npy_header
from harness.formats.errors import FormatError


def scan(stream: BinaryIO, findings: Findings) -> Contents:
    """The header of an array, which says all but the numbers."""
    contents = Contents(label_size=0)
    try:
        header = npy_header.read_header(stream)
    except FormatError as error:
        findings.add_error("unreadable", error)
        contents.complete = False
        return contents
    contents.notes.append(f"an array of dtype {header.dtype} and shape {header.shape}")
    if header.shape:
        contents.records = header.shape[0]
        contents.width = int(np.prod(header.shape[1:], dtype=object))
    return contents
