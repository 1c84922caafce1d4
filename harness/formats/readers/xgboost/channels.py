"""Training data as the image reads it, or more strictly where its reader takes anything for data.

See docs/notes/xgboost.md#data and #data-read-more-strictly.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from harness.formats import csv, libsvm, recordio
from harness.formats.diagnosis import say
from harness.formats.errors import FormatError
from harness.formats.lines import Block, iter_blocks
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.notes import Notes
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import first_lines, plain_csv
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.records import Records

AS_CSV = "format=csv&label_column=0"
AS_LIBSVM = "format=libsvm"
"""Arguments of xgboost's own reader."""

_SHOWN = 50
_COMMENT = re.compile(rb"#[^\n]*+")
_NOT_FINITE = re.compile(rb"(?:^|[ \t:])[-+]?+(nan|inf)", re.IGNORECASE | re.MULTILINE)
_INDEX = re.compile(rb"[ \t]([0-9]++):")
_FAR_INDEX = re.compile(rb"[ \t]([0-9]{10,}+):")
_RECORD = re.compile(rb"^[ \t]*+[^ \t\r\n]", re.MULTILINE)
_WEIGHT = re.compile(rb"^[ \t]*+[^ \t\r\n:]++:", re.MULTILINE)
_LARGEST_INDEX = (1 << 32) - 2


def read(
    files: Sequence[DataFile], form: Format, notes: Notes, *, csv_weights: bool = False
) -> str | Iterator[Records]:
    """The records of CSV, libsvm or recordIO files in float32; an empty cell is missing.

    With `csv_weights` the labels are pairs, of the label and its weight. Where xgboost's own reader reads the
    files right, its arguments instead. DataRefused in the image's
    words, or in xgboost's: for what only the whole shows (infinities, labels that are no numbers) after the last
    batch, so a batch is good only when all have come.
    """
    files = [file for file in files if file.size]
    if not files:
        refuse(form, "There are no rows.")
    if form is Format.RECORDIO:
        return _usable(_recordio(files), form)
    if form is Format.LIBSVM:
        _check_libsvm(files)
        return AS_LIBSVM
    separator = first_lines.delimiter(files[0], notes)
    if separator == "," and not csv_weights and plain_csv.is_plain(files):
        return AS_CSV
    return _usable(_csv(files, separator, 2 if csv_weights else 1), form)


def refuse(form: Format, problem: object) -> NoReturn:
    """DataRefused for files that do not load."""
    raise DataRefused(say("xgboost_cannot_load", form=form.value, problem=problem))


def _csv(files: Sequence[DataFile], separator: str, label_size: int) -> Iterator[Records]:
    first: Records | None = None
    for file in files:
        try:
            with file.open() as stream:
                for batch in csv.iter_batches(
                    stream, label_size=label_size, delimiter=separator, missing=np.nan
                ):
                    first = first or batch
                    if batch.width != first.width:
                        raise FormatError(
                            f"{batch.width + label_size} columns",
                            expected=f"{first.width + label_size}, as in the first file",
                        )
                    yield batch
        except FormatError as error:
            _refuse_csv(file, error)
        except ValueError as error:  # a delimiter that csv.Sniffer finds and csv.reader refuses
            refuse(Format.CSV, f"{file.name}: {error}")
    if first is None:
        refuse(Format.CSV, "There are no rows.")


def _refuse_csv(file: DataFile, error: FormatError) -> NoReturn:
    if error.line == 1 and error.column is not None:
        line = first_lines.first_line(file)
        letter = first_lines.header(line)
        if letter is not None:
            refuse(Format.CSV, first_lines.header_text(letter, line, file))
    refuse(Format.CSV, f"{file.name}: {error}")


def _recordio(files: Sequence[DataFile]) -> Iterator[Records]:
    first: Records | None = None
    labelled = True
    for file in files:
        try:
            with file.open() as stream:
                for batch in recordio.iter_batches(stream):
                    first = first or batch
                    if batch.width != first.width:
                        raise FormatError(
                            f"{batch.width} features",
                            expected=f"{first.width}, as in the first file",
                        )
                    labelled = labelled and batch.label_size > 0
                    yield batch
        except FormatError as error:
            refuse(Format.RECORDIO, f"{file.name}: {error}")
    if first is None:
        refuse(Format.RECORDIO, "There are no records.")
    if not labelled:
        raise DataRefused(say("xgboost_no_labels"))


def _check_libsvm(files: Sequence[DataFile]) -> None:
    """DataRefused for the first line that is not libsvm, and for what xgboost's reader misreads, which is a lot."""
    featureless = True
    records = weighted = queried = 0
    for file in files:
        with file.open() as stream:
            try:
                libsvm.check(stream)
            except FormatError as error:
                stream.seek((error.offset or 0) - (error.column or 1) + 1)
                shown = stream.readline(_SHOWN).split(b"\n")[0].decode("utf-8", "replace")
                refuse(
                    Format.LIBSVM,
                    f"{file.name}: line {error.line}: '{shown}' is not <label> <index>:<value> ...",
                )
            stream.seek(0)
            for block in iter_blocks(stream):
                text = _COMMENT.sub(b"", block.data)
                _check_numbers(file, block, text)
                records += len(_RECORD.findall(text))
                weighted += len(_WEIGHT.findall(text))
                queried += text.count(b"qid:")
                featureless = featureless and not _INDEX.search(text)
    if not records:
        raise DataRefused(say("xgboost_no_labels"))
    for count, what in ((weighted, "a weight"), (queried, "a qid")):
        if 0 < count < records:
            refuse(Format.LIBSVM, f"{count} of {records} records have {what}, and the others none")
    if featureless:
        raise DataRefused(say("xgboost_featureless"))


def _check_numbers(file: DataFile, block: Block, text: bytes) -> None:
    """DataRefused for what is libsvm, but nothing that xgboost's reader reads right: nan, inf, indices of 33 bits."""
    found = _NOT_FINITE.search(text) if b"n" in text or b"N" in text else None
    if found is None:
        found = next(
            (far for far in _FAR_INDEX.finditer(text) if int(far[1]) > _LARGEST_INDEX), None
        )
    if found is not None:
        line = block.line + text.count(b"\n", 0, found.start(1))
        shown = found[1][:_SHOWN].decode()
        refuse(Format.LIBSVM, f"{file.name}: line {line}: '{shown}' is not read by XGBoost")


def _usable(batches: Iterator[Records], form: Format) -> Iterator[Records]:
    """The same in float32; after the last, DataRefused for what xgboost refuses of any table."""
    infinite = bad_labels = bad_weights = featureless = False
    for batch in batches:
        narrow = _narrowed(batch)
        values = (
            narrow.features if isinstance(narrow.features, np.ndarray) else narrow.features.data
        )
        infinite = infinite or bool(np.isinf(values).any())
        labels, weights = _told(narrow, form)
        bad_labels = bad_labels or not np.isfinite(labels).all()
        bad_weights = bad_weights or not (np.isfinite(weights) & (weights >= 0)).all()
        featureless = featureless or narrow.width == 0
        yield narrow
    # In the order in which xgboost looks at them.
    if infinite:
        refuse(form, say("xgboost_infinite"))
    if bad_labels:
        refuse(form, say("xgboost_bad_label"))
    if bad_weights:
        refuse(form, say("xgboost_bad_weight"))
    if featureless:
        raise DataRefused(say("xgboost_featureless"))


def _told(batch: Records, form: Format) -> tuple[Any, Any]:
    """Labels and weights of a batch; either may be empty."""
    nothing = np.empty(0, np.float32)
    if batch.labels is None:
        return nothing, nothing
    if form is Format.CSV and batch.label_size == 2:
        return batch.labels[:, 0], batch.labels[:, 1]
    return batch.labels, nothing


def _narrowed(batch: Records) -> Records:
    """float32, which is what xgboost computes in; values too large for it become infinite."""
    with np.errstate(over="ignore"):
        labels = None if batch.labels is None else batch.labels.astype(np.float32)
        return Records(batch.features.astype(np.float32), labels)
