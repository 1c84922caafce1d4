"""The file `xgboost-model`: written as each version of the image writes it, read whichever wrote it.

A pickle is never executed: an unpickler that builds nothing takes the Booster's own bytes out of it.
See docs/notes/xgboost.md#artifact.
"""

import io
import json
import os
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import xgboost as xgb

from harness.algorithms.xgboost import ubjson
from harness.algorithms.xgboost.errors import without_stack
from harness.algorithms.xgboost.versions import Version

NAME = "xgboost-model"

# xgboost 1.2 wrote a Booster's state with this and an offset before it, later ones as a map of Config and Model.
_SNAPSHOT = b"CONFIG-offset:"
_JSON = tuple(b"{" + follow for follow in (b'"', b"}", b" ", b"\n", b"\t", b"\r"))
_PARAMETER_BYTES = 136
_SNAPSHOTS = (_SNAPSHOT, b"{L\x00\x00\x00\x00\x00\x00\x00\x06Config", b'{"Config"')


class UnreadableModel(Exception):
    """A file that holds no model."""


@dataclass(frozen=True)
class Model:
    """A loaded Booster; `pickled` says that its file was a pickle, `best_iteration` where training peaked."""

    booster: xgb.Booster
    pickled: bool
    best_iteration: int | None

    @property
    def features(self) -> int:
        """Number of features that it was trained on."""
        return int(self.booster.num_features())


def save(booster: xgb.Booster, path: Path, version: Version) -> None:
    """Write a Booster as the image does: a pickle, xgboost's old binary form, or UBJSON; at once or not at all."""
    if version.has("native_artifact"):
        save_natively(booster, path, version)
    else:
        # The protocol of the image's Python. Unpickles where an xgboost of this version or later is.
        _replace(path, pickle.dumps(booster, protocol=4 if version.has("bracketed_log") else 3))


def save_natively(booster: xgb.Booster, path: Path, version: Version) -> None:
    """Write what `Booster.save_model` of the image's xgboost writes."""
    with warnings.catch_warnings():
        # The old form is what is asked for.
        warnings.filterwarnings("ignore", ".*deprecated binary model format", UserWarning)
        raw = booster.save_raw("ubj" if version.has("ubjson_artifact") else "deprecated")
    _replace(path, raw)


def _replace(path: Path, data: bytes | bytearray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def load(path: Path) -> Model:
    """Read a model file of any version: pickle, binary, JSON or UBJSON; UnreadableModel for anything else."""
    data = path.read_bytes()
    try:
        state = _state(data)
    except UnreadableModel as not_a_pickle:
        try:
            return _model(_load_raw(data), pickled=False, state={})
        except UnreadableModel as not_a_model:
            raise UnreadableModel(f"{not_a_pickle}\n{not_a_model}") from None
    handle = state.get("handle")
    if not isinstance(handle, bytearray):
        raise UnreadableModel("The pickled Booster has no model in it.")
    return _model(_load_raw(bytes(handle)), pickled=True, state=state)


def _model(booster: xgb.Booster, *, pickled: bool, state: Mapping[str, Any]) -> Model:
    best = state.get("best_iteration", booster.attr("best_iteration"))
    try:
        best_iteration = None if best is None else int(best)
    except (TypeError, ValueError):
        best_iteration = None
    return Model(booster, pickled, best_iteration)


def _load_raw(data: bytes) -> xgb.Booster:
    if not _is_whole(data):
        raise UnreadableModel("The model is incomplete or damaged.")
    booster = xgb.Booster()
    # Models that old versions wrote are expected here, so what xgboost says about them is no news.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            if data.startswith(_SNAPSHOTS):
                booster.__setstate__({"handle": bytearray(data)})
            else:
                booster.load_model(bytearray(data))
            booster.num_features()  # asks for a complete model
        except (xgb.core.XGBoostError, ValueError, TypeError) as error:
            raise UnreadableModel(without_stack(error)) from None
    return booster


def _is_whole(data: bytes) -> bool:
    """False for what xgboost's readers crash on, or fill the memory for: they trust what they read."""
    if data.startswith(_SNAPSHOT):
        start = len(_SNAPSHOT) + 8
        offset = int.from_bytes(data[len(_SNAPSHOT) : start], "little", signed=True)
        try:
            return offset > 0 and isinstance(json.loads(data[start + offset :]), dict)
        except ValueError:
            return False
    if data.startswith(_JSON):
        return True  # this reader is careful
    return ubjson.is_complete(data) if data.startswith(b"{") else _is_binary(data)


def _is_binary(data: bytes) -> bool:
    """Whether `data` begins as the old form does: parameters, then the names of objective and booster."""
    position = _PARAMETER_BYTES + (4 if data.startswith(b"binf") else 0)
    names = []
    for longest in (64, 16):
        length = int.from_bytes(data[position : position + 8], "little")
        if not 0 < length <= longest:
            return False
        names.append(data[position + 8 : position + 8 + length])
        position += 8 + length
    return names[0].isascii() and names[1] in (b"gbtree", b"gblinear", b"dart")


class _BoosterState:
    """Stands for xgboost's Booster while its pickle is read: keeps the state, does nothing with it."""

    # Of the class: a pickle makes instances without calling __init__.
    state: Mapping[str, Any] = MappingProxyType({})

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.state = state


def _bytearray(data: Any = b"", encoding: Any = None) -> bytearray:
    # Only from what the pickle itself holds: bytearray(10**12) would be a way to fill the memory.
    if isinstance(data, str) and encoding == "latin-1":
        return bytearray(data, "latin-1")
    if isinstance(data, bytes) and encoding is None:
        return bytearray(data)
    raise pickle.UnpicklingError("bytearray of something other than bytes")


def _encode(text: Any, encoding: Any) -> bytes:
    if isinstance(text, str) and encoding == "latin1":
        return text.encode("latin1")
    raise pickle.UnpicklingError("an encoding other than latin1")


def _reconstructed(kind: Any, base: Any, state: Any) -> Any:
    if kind is _BoosterState and base is object and state is None:
        return _BoosterState()
    raise pickle.UnpicklingError("something other than a Booster")


# Names of Python 2 and of Python 3; what they stand for makes bytes and the empty state, nothing else.
_KNOWN: Mapping[tuple[str, str], Any] = {
    ("xgboost.core", "Booster"): _BoosterState,
    ("builtins", "bytearray"): _bytearray,
    ("__builtin__", "bytearray"): _bytearray,
    ("_codecs", "encode"): _encode,
    ("copyreg", "_reconstructor"): _reconstructed,
    ("copy_reg", "_reconstructor"): _reconstructed,
    ("builtins", "object"): object,
    ("__builtin__", "object"): object,
}


class _StateReader(pickle.Unpickler):
    """Reads a pickled Booster without building one."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a Booster") from None


def _state(data: bytes) -> Mapping[str, Any]:
    """The state of a pickled Booster; UnreadableModel when `data` is no such pickle."""
    if not data:
        raise UnreadableModel("The file is empty.")
    try:
        found = _StateReader(io.BytesIO(data)).load()
    except Exception as error:
        # A damaged pickle raises whatever its opcodes run into.
        raise UnreadableModel(f"not a pickled Booster: {error}") from None
    if not isinstance(found, _BoosterState):
        raise UnreadableModel(f"a pickle of {type(found).__name__}, not of a Booster")
    return found.state


def files(folder: Path) -> list[Path]:
    """The model files of a folder: all but hidden ones, in the order of their names."""
    return sorted(
        Path(entry.path)
        for entry in os.scandir(folder)
        if entry.is_file() and not entry.name.startswith(".")
    )
