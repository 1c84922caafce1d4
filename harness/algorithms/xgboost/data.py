"""From the files of a channel to xgboost's DMatrix. See docs/notes/xgboost.md#data."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from harness.algorithms.xgboost.errors import PlatformError, without_stack
from harness.algorithms.xgboost.log import Log
from harness.formats.diagnosis import say
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost.channels import read, refuse
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.records import Records, concatenate

Array = npt.NDArray[Any]


def matrix(
    paths: list[Path], form: Format, *, csv_weights: bool, scratch: Path, log: Log
) -> xgb.DMatrix:
    """Read files, all with their labels, into one matrix of float32; an empty cell is missing.

    `csv_weights` says that the second column of CSV holds the weights of the rows. `scratch` is a folder
    for files on the way. DataRefused for data that the format or xgboost refuses, and for data without labels.
    """
    if form is Format.PARQUET:
        loaded = _parquet([path for path in paths if path.stat().st_size])
    else:
        files = [DataFile(path, path.name) for path in paths]
        found = read(files, form, log, csv_weights=csv_weights)
        if isinstance(found, str):
            loaded = _by_xgboost([file.path for file in files if file.size], found, form, scratch)
        else:
            loaded = _from_batches(found, form)
    if loaded.get_label().size == 0:
        raise DataRefused(say("xgboost_no_labels"))
    return loaded


def _by_xgboost(paths: list[Path], arguments: str, form: Format, scratch: Path) -> xgb.DMatrix:
    """Have xgboost's own reader read files, as in the image."""
    # It takes a folder, and characters of a name as its arguments.
    with tempfile.TemporaryDirectory(dir=scratch, prefix="input-") as folder:
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:09}").symlink_to(path.resolve())
        try:
            return xgb.DMatrix(f"{folder}?{arguments}")
        except xgb.core.XGBoostError as error:
            refuse(form, without_stack(error))


def _from_batches(batches: Iterator[Records], form: Format) -> xgb.DMatrix:
    parts = list(batches)
    whole = concatenate(parts)
    parts.clear()
    labels = np.empty(0, np.float32) if whole.labels is None else whole.labels
    try:
        if form is Format.CSV and whole.label_size == 2:
            return xgb.DMatrix(whole.features, label=labels[:, 0], weight=labels[:, 1])
        return xgb.DMatrix(whole.features, label=labels.reshape(-1))
    except (xgb.core.XGBoostError, ValueError) as error:
        refuse(form, without_stack(error))


def _float32(table: Array) -> Array:
    # What does not fit becomes infinity, which xgboost refuses by itself.
    with np.errstate(over="ignore"):
        return table.astype(np.float32)


def _joined(parts: list[Array]) -> Array:
    """The parts as one array; the list is emptied, so that only one copy stays."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    return whole


def _parquet(paths: list[Path]) -> xgb.DMatrix:
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
            refuse(Format.PARQUET, f"{path.name}: {str(error).replace(str(path), path.name)}")
        if tables[-1].shape[1] != tables[0].shape[1]:
            refuse(
                Format.PARQUET,
                f"{path.name}: {tables[-1].shape[1]} columns, not {tables[0].shape[1]}",
            )
    if not tables:
        refuse(Format.PARQUET, "There are no rows.")
    whole = _joined(tables)
    try:
        return xgb.DMatrix(whole[:, 1:], label=whole[:, 0])
    except (xgb.core.XGBoostError, ValueError) as error:
        refuse(Format.PARQUET, without_stack(error))
