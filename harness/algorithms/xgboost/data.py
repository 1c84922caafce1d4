"""From the files of a channel to xgboost's DMatrix. See docs/notes/xgboost.md#data."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from harness.algorithms.xgboost import files, plain_csv
from harness.algorithms.xgboost.content_types import Format
from harness.algorithms.xgboost.errors import PlatformError, UserError, without_stack
from harness.algorithms.xgboost.log import Log
from harness.formats import csv, libsvm, recordio
from harness.formats.diagnosis import say
from harness.formats.errors import FormatError
from harness.formats.records import Records, concatenate

Array = npt.NDArray[Any]

_BLOCK = 1 << 20
_SHOWN = 50


def matrix(
    paths: list[Path], form: Format, *, csv_weights: bool, scratch: Path, log: Log
) -> xgb.DMatrix:
    """Read files, all with their labels, into one matrix of float32; an empty cell is missing.

    `csv_weights` says that the second column of CSV holds the weights of the rows. `scratch` is a folder
    for files on the way. UserError for data that the format or xgboost refuses, and for data without labels.
    """
    paths = [path for path in paths if path.stat().st_size]
    if not paths:
        _fail(form, "There are no rows.")
    if form is Format.CSV:
        separator = files.first_delimiter(paths, log)
        if separator == "," and not csv_weights and plain_csv.is_plain(paths):
            loaded = _by_xgboost(paths, "format=csv&label_column=0", form, scratch)
        else:
            loaded = _csv(paths, csv_weights, separator)
    else:
        loaded = _READERS[form](paths, scratch)
    if loaded.get_label().size == 0:
        raise UserError(say("xgboost_no_labels"))
    return loaded


def _fail(form: Format, problem: object) -> NoReturn:
    raise UserError(say("xgboost_cannot_load", form=form.value, problem=problem))


def _by_xgboost(paths: list[Path], arguments: str, form: Format, scratch: Path) -> xgb.DMatrix:
    """Have xgboost's own reader read files, as in the image."""
    # It takes a folder, and characters of a name as its arguments.
    with tempfile.TemporaryDirectory(dir=scratch, prefix="input-") as folder:
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:09}").symlink_to(path.resolve())
        try:
            return xgb.DMatrix(f"{folder}?{arguments}")
        except xgb.core.XGBoostError as error:
            _fail(form, without_stack(error))


def _csv(paths: list[Path], csv_weights: bool, separator: str) -> xgb.DMatrix:
    columns = 2 if csv_weights else 1
    features: list[Array] = []
    labels: list[Array] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                for batch in csv.iter_batches(
                    stream, label_size=columns, delimiter=separator, missing=float("nan")
                ):
                    features.append(_float32(batch.features))
                    labels.append(_float32(_column(batch.labels)))
                    if features[-1].shape[1] != features[0].shape[1]:
                        raise FormatError(
                            f"{features[-1].shape[1] + columns} columns",
                            expected=f"{features[0].shape[1] + columns}, as in the first file",
                        )
        except FormatError as error:
            _fail_csv(path, error)
        except ValueError as error:  # a delimiter that csv.Sniffer finds and csv.reader refuses
            _fail(Format.CSV, f"{path.name}: {error}")
    if not features:
        _fail(Format.CSV, "There are no rows.")
    try:
        table, told = _joined(features), _joined(labels)
        if not csv_weights:
            return xgb.DMatrix(table, label=told)
        return xgb.DMatrix(table, label=told[:, 0], weight=told[:, 1])
    except (xgb.core.XGBoostError, ValueError) as error:
        _fail(Format.CSV, without_stack(error))


def _float32(table: Array) -> Array:
    # What does not fit becomes infinity, which xgboost refuses by itself.
    with np.errstate(over="ignore"):
        return table.astype(np.float32)


def _column(labels: Array | None) -> Array:
    return np.empty(0) if labels is None else labels


def _joined(parts: list[Array]) -> Array:
    """The parts as one array; the list is emptied, so that only one copy stays."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    return whole


def _fail_csv(path: Path, error: FormatError) -> NoReturn:
    if error.line == 1 and error.column is not None:
        with path.open(encoding="utf-8", errors="ignore") as lines:
            line = lines.readline(_BLOCK)
        letter = files.header(line)
        if letter is not None:
            _fail(Format.CSV, files.header_error(letter, line, path))
    _fail(Format.CSV, f"{path.name}: {error}")


def _recordio(paths: list[Path], scratch: Path) -> xgb.DMatrix:
    batches: list[Records] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                for batch in recordio.iter_batches(stream):
                    if batches and batch.width != batches[0].width:
                        raise FormatError(
                            f"{batch.width} features",
                            expected=f"{batches[0].width}, as in the first file",
                        )
                    batches.append(Records(_float32(batch.features), batch.labels))
        except FormatError as error:
            _fail(Format.RECORDIO, f"{path.name}: {error}")
    if not batches:
        _fail(Format.RECORDIO, "There are no records.")
    if any(batch.labels is None for batch in batches):
        raise UserError(say("xgboost_no_labels"))
    whole = concatenate(batches)
    batches.clear()
    try:
        return xgb.DMatrix(whole.features, label=_float32(_column(whole.labels)).reshape(-1))
    except (xgb.core.XGBoostError, ValueError) as error:
        _fail(Format.RECORDIO, without_stack(error))


def _libsvm(paths: list[Path], scratch: Path) -> xgb.DMatrix:
    for path in paths:
        _check_libsvm_lines(path)
    return _by_xgboost(paths, "format=libsvm", Format.LIBSVM, scratch)


def _check_libsvm_lines(path: Path) -> None:
    """UserError for the first line that is not libsvm: xgboost's reader makes something of any text."""
    with path.open("rb") as stream:
        try:
            libsvm.check(stream)
        except FormatError as error:
            stream.seek((error.offset or 0) - (error.column or 1) + 1)
            shown = stream.readline(_SHOWN).split(b"\n")[0].decode("utf-8", "replace")
            _fail(
                Format.LIBSVM,
                f"{path.name}: line {error.line}: '{shown}' is not <label> <index>:<value> ...",
            )


def _parquet(paths: list[Path], scratch: Path) -> xgb.DMatrix:
    import pandas as pd

    tables: list[Array] = []
    for path in paths:
        try:
            tables.append(_float32(pd.read_parquet(path).to_numpy(dtype=np.float64)))
        except ImportError as error:
            raise PlatformError(
                "Parquet data needs pyarrow, which is not installed: pip install pyarrow"
            ) from error
        except (ValueError, TypeError, OSError) as error:
            _fail(Format.PARQUET, f"{path.name}: {str(error).replace(str(path), path.name)}")
        if tables[-1].shape[1] != tables[0].shape[1]:
            _fail(
                Format.PARQUET,
                f"{path.name}: {tables[-1].shape[1]} columns, not {tables[0].shape[1]}",
            )
    if not tables:
        _fail(Format.PARQUET, "There are no rows.")
    whole = _joined(tables)
    try:
        return xgb.DMatrix(whole[:, 1:], label=whole[:, 0])
    except (xgb.core.XGBoostError, ValueError) as error:
        _fail(Format.PARQUET, without_stack(error))


_READERS: Mapping[Format, Callable[[list[Path], Path], xgb.DMatrix]] = {
    Format.LIBSVM: _libsvm,
    Format.RECORDIO: _recordio,
    Format.PARQUET: _parquet,
}
