"""The recordIO codec broken on purpose, one mistake at a time: each is seen by a property of the other modules.

A mistake is a piece of source put in the place of another one, or a constant in the place of another one.
It counts as seen when the property fails for some input, and holds for the same input without it.
"""

import inspect
import struct
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from harness.formats import framing, recordio, row_messages, splitting, uniform
from tests.formats import test_framing, test_recordio, test_recordio_encoding
from tests.formats.strategies import labeled, payloads, sparse_matrices

MODULES = [framing, splitting, uniform, row_messages, recordio]

MANY = settings(
    max_examples=1000, database=None, derandomize=True, phases=[Phase.generate], deadline=None
)
SOME = settings(MANY, max_examples=50)


@dataclass(frozen=True)
class Property:
    """A test, and the inputs that it is a property of."""

    test: Any
    inputs: st.SearchStrategy[tuple[Any, ...]]

    def fails(self, inputs: tuple[Any, ...]) -> bool:
        """Whether the test does not pass."""
        test = getattr(self.test, "hypothesis", None)
        try:
            (test.inner_test if test else self.test)(*inputs)
        except (Exception, pytest.fail.Exception):
            return True
        return False


def _signalling() -> st.SearchStrategy[Any]:
    row = np.array([[0x7FA00000, 1]], np.uint32).view(np.float32)
    return st.just((row, None))


SDK_BYTES = Property(
    test_recordio_encoding.test_dumps_writes_the_bytes_of_the_sdk,
    st.tuples(labeled() | _signalling()),
)
SPARSE_BYTES = Property(
    test_recordio_encoding.test_sparse_matrices_have_the_bytes_of_the_sdk,
    st.tuples(sparse_matrices()),
)
SPLIT_ROWS = Property(
    test_recordio_encoding.test_split_records_are_the_same_records,
    st.tuples(test_recordio_encoding.with_magics(), st.integers(1, 400)),
)
NOT_TOO_LONG = Property(
    test_recordio_encoding.test_no_part_is_longer_than_the_largest,
    st.tuples(labeled(), st.integers(0, 80), st.booleans()),
)
KEPT = Property(test_recordio_encoding.test_what_a_file_was_given_does_not_change, st.just(()))
CUT = Property(
    test_framing.test_records_are_cut_where_the_magic_number_is_aligned,
    st.tuples(st.lists(payloads, max_size=5)),
)
FRAMED = Property(
    test_framing.test_what_was_framed_is_read_again,
    st.tuples(st.lists(payloads, max_size=5), st.booleans(), st.integers(1, 40)),
)
PADDING = Property(
    test_framing.test_padding_may_hold_anything,
    st.tuples(st.lists(payloads, min_size=1, max_size=5), st.binary(min_size=3, max_size=3)),
)
ORDER = Property(
    test_framing.test_parts_out_of_order_are_an_error, st.sampled_from(test_framing.OUT_OF_ORDER)
)
LENGTHS = Property(
    test_framing.test_a_length_that_lies_costs_no_memory,
    st.tuples(st.integers(13, 2**29 - 1), st.sampled_from([0, 1])),
)
MXNET = Property(
    test_framing.test_what_mxnet_writes_is_written_and_read,
    st.sampled_from(test_framing.WRITTEN_BY_MXNET),
)
LOADS = Property(test_recordio.test_what_was_dumped_loads_again, st.tuples(labeled(least_width=1)))
ANY_WRITER = Property(
    test_recordio.test_records_of_all_writers_are_read_in_their_order,
    st.tuples(test_recordio.streams_of_any_writer(), st.integers(1, 400)),
)


@dataclass(frozen=True)
class Mistake:
    """A change to the codec, and the property that sees it."""

    name: str
    seen_by: Property
    where: Callable[..., Any] | str
    """A function of the codec, or the name of a constant."""
    old: str
    new: Any

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the mistake, for a while."""
        with pytest.MonkeyPatch.context() as patch:
            if isinstance(self.where, str):
                self._change_constant(patch, self.where)
            else:
                self._change_source(patch, self.where)
            yield

    def _change_constant(self, patch: pytest.MonkeyPatch, name: str) -> None:
        holders = [module for module in MODULES if hasattr(module, name)]
        assert holders, f"{name} is gone"
        for module in holders:
            assert repr(getattr(module, name)) != repr(self.new) or name == "HEADER"
            patch.setattr(module, name, self.new)

    def _change_source(self, patch: pytest.MonkeyPatch, function: Callable[..., Any]) -> None:
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(self.old) == 1, f"{function.__name__} no longer has {self.old!r} once"
        namespace = dict(function.__globals__)
        exec(compile(source.replace(self.old, self.new), "<mistake>", "exec"), namespace)
        # The function stays the one that all modules have imported; only what it does changes.
        patch.setattr(function, "__code__", namespace[function.__name__].__code__)


MISTAKES = [
    Mistake(
        "no padding is written", SDK_BYTES, framing.frame, "bytes(padded(length) - length)", "b''"
    ),
    Mistake(
        "padding is not skipped", PADDING, framing._next_part, "skip(occupied)", "skip(length)"
    ),
    Mistake("padding to one byte too many", PADDING, framing.padded, "length + 3", "length + 4"),
    Mistake("headers are big-endian", SDK_BYTES, "HEADER", "", struct.Struct(">II")),
    Mistake(
        "headers are read big-endian",
        FRAMED,
        framing._next_part,
        "HEADER.unpack_from(window.data, window.position)",
        "struct.unpack_from('>II', window.data, window.position)",
    ),
    Mistake(
        "values are big-endian",
        SDK_BYTES,
        uniform._as_bytes,
        "(values, dtype)",
        "(values, dtype.newbyteorder('>'))",
    ),
    Mistake(
        "values are read big-endian",
        LOADS,
        uniform._from_bytes,
        ".view(dtype)",
        ".view(dtype.newbyteorder('>'))",
    ),
    Mistake(
        "the flag is not written", CUT, framing.frame, "flag << LENGTH_BITS | length", "length"
    ),
    Mistake("the flag is not read", FRAMED, framing.next_frame, "if flag == WHOLE", "if True"),
    Mistake("the flag may be anything", ORDER, framing._next_part, "flag not in allowed", "False"),
    Mistake(
        "the last part is taken for a middle one",
        CUT,
        splitting.Parts.frame,
        ", LAST]",
        ", MIDDLE]",
    ),
    Mistake("a length of one too many", SDK_BYTES, framing.frame, "| length", "| length + 1"),
    Mistake(
        "a payload of one byte too few",
        FRAMED,
        framing._next_part,
        "peek(length)",
        "peek(max(0, length - 1))",
    ),
    Mistake(
        "the magic number is not put back",
        FRAMED,
        framing.next_frame,
        "payload += MAGIC_BYTES",
        "pass",
    ),
    Mistake(
        "the magic number is left in the parts",
        MXNET,
        splitting._pieces,
        "start = at = at",
        "start, at = at, at",
    ),
    Mistake(
        "cuts where the magic number is not aligned",
        CUT,
        splitting._pieces,
        "if at % 4",
        "if False",
    ),
    Mistake(
        "no cuts in whole arrays", SPLIT_ROWS, splitting.Parts.write, ".any(axis=1)", ".all(axis=1)"
    ),
    Mistake(
        "the largest part does not count in whole arrays",
        NOT_TOO_LONG,
        splitting.Parts.write,
        "length > self.largest",
        "False",
    ),
    Mistake("a mask of 28 bits", LENGTHS, "LENGTH_MASK", "", 2**28 - 1),
    Mistake("a mask of 30 bits", FRAMED, "LENGTH_MASK", "", 2**30 - 1),
    Mistake("flags above 30 bits", CUT, "LENGTH_BITS", "", 30),
    Mistake("another magic number", SDK_BYTES, "MAGIC", "", 0xCED7230B),
    Mistake(
        "NaNs keep the bit that makes them signal",
        SDK_BYTES,
        uniform._as_bytes,
        "bits[unknown] |= _QUIET",
        "pass",
    ),
    Mistake(
        "a run of one too many",
        ANY_WRITER,
        uniform._run,
        "int(alike.argmin())",
        "int(alike.argmin()) + 1",
    ),
    Mistake(
        "a shape of the rows",
        SPARSE_BYTES,
        row_messages.messages,
        "append(matrix.shape[1])",
        "append(matrix.shape[0])",
    ),
    Mistake("a file gets the buffer itself", KEPT, recordio._copying, "bytes(block)", "block"),
]


def _seen(mistake: Mistake, how: settings = MANY) -> tuple[Any, ...]:
    """An input for which the property fails with the mistake. NoSuchExample when it sees nothing."""
    with mistake.made():
        return find(mistake.seen_by.inputs, mistake.seen_by.fails, settings=how)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_seen(mistake: Mistake) -> None:
    """With the mistake there is an input for which the property fails; without it, it holds for that input."""
    inputs = _seen(mistake)
    assert not mistake.seen_by.fails(inputs)


PROPERTIES = list({id(mistake.seen_by): mistake.seen_by for mistake in MISTAKES}.values())


@pytest.mark.parametrize("seen_by", PROPERTIES, ids=lambda seen_by: seen_by.test.__name__)
def test_a_codec_without_mistakes_is_not_blamed(seen_by: Property) -> None:
    """A change that changes nothing is not seen by any property, so what they see are the mistakes."""
    nothing = Mistake("nothing", seen_by, framing.padded, "length + 3", "length + 3")
    with pytest.raises(NoSuchExample):
        _seen(nothing, SOME)


def test_a_mistake_that_cannot_be_made_is_an_error() -> None:
    """Where the codec no longer has what a mistake would change, that is said, instead of nothing being tested."""
    gone = Mistake("gone", FRAMED, framing.padded, "length + 30", "length")
    with pytest.raises(AssertionError, match="no longer has"):
        _seen(gone)
    with pytest.raises(AssertionError, match="is gone"):
        _seen(Mistake("gone", FRAMED, "NO_SUCH_CONSTANT", "", 1))


def test_every_mistake_is_undone() -> None:
    """After a mistake the codec is as it was."""
    before = framing.padded.__code__, framing.HEADER
    for mistake in MISTAKES:
        with mistake.made():
            pass
    assert (framing.padded.__code__, framing.HEADER) == before
