"""A file in memory whose size is known beforehand, in large pages where the system has such.

To grow a large buffer step by step copies it again and again; and to touch new memory in small pages
costs more than to fill it. numpy asks Linux for large pages under its own arrays for the same reason.
"""

import ctypes
import io
import mmap
import sys
from functools import cache
from typing import Any

import numpy as np

_LARGE = 1 << 22


def memory_file(size: int) -> io.BytesIO:
    """A file of `size` zeros that stands at its start, to be written over."""
    # BytesIO takes bytes that nobody else refers to for its buffer: nothing is copied, nothing touched yet.
    file = io.BytesIO(bytes(size))
    if size >= _LARGE:
        with file.getbuffer() as buffer:
            _ask_for_large_pages(buffer)
    return file


def _ask_for_large_pages(buffer: memoryview) -> None:
    advise = _madvise()
    if advise is None:
        return
    array = np.frombuffer(buffer, np.uint8)
    first = -(-array.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (array.ctypes.data + len(array)) // mmap.PAGESIZE * mmap.PAGESIZE
    # Advice only: where it is not taken, nothing but time is lost.
    advise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), mmap.MADV_HUGEPAGE)


@cache
def _madvise() -> Any:
    """The C library's function; None where there are no such pages."""
    if sys.platform != "linux" or not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    return getattr(ctypes.CDLL(None), "madvise", None)
