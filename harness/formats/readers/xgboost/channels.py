"""Training data as the image reads it, or more strictly where its reader takes anything for data.

See docs/notes/xgboost.md#data and #data-read-more-strictly.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from harness.formats import csv, recordio
from harness.formats.diagnosis import say
from harness.formats.errors import FormatError
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.notes import Notes
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import first_lines, plain_csv
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.records import Records

AS_CSV = "format=csv&label_column=0"
"""The arguments of xgboost's own reader."""


def read(
    files: Sequence[DataFile], form: Format, notes: Notes, *, csv_weights: bool = False
) -> str | Iterator[Records]:
    """The records of CSV or recordIO files in float32; an empty cell is missing, with `csv_weights` labels are pairs.

    Where xgboost's own reader reads the files right, its arguments instead. DataRefused in the image's
    words, or in xgboost's: for what only the whole shows (infinities, labels that are no numbers) after the last
    batch, so a batch is good only when all have come.
    """
    files = [file for file in files if file.size]
    if not files:
        refuse(form, "There are no rows.")
    if form is Format.RECORDIO:
        return _usable(_recordio(files), form)
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
                    labelled = labelled and batch.labels is not None
                    yield batch
        except FormatError as error:
            refuse(Format.RECORDIO, f"{file.name}: {error}")
    if first is None:
        refuse(Format.RECORDIO, "There are no records.")
    if not labelled:
        raise DataRefused(say("xgboost_no_labels"))


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
