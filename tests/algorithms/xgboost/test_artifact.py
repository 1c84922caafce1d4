"""The artifact: written as each version does, read whichever wrote it, never executed."""

import io
import os
import pickle
import struct
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import example, given
from hypothesis import strategies as st

from harness.algorithms.xgboost import artifact
from harness.algorithms.xgboost.artifact import UnreadableModel
from harness.algorithms.xgboost.versions import all_versions, named
from tests.algorithms.xgboost.jobs import boston

CURRENT = [version.name for version in all_versions()]


@cache
def trained() -> xgb.Booster:
    """A model of Boston housing."""
    features, prices = boston()
    table = xgb.DMatrix(features.astype(np.float32), label=prices)
    return xgb.train({"max_depth": 3, "base_score": 0.5, "nthread": 1}, table, num_boost_round=4)


def predictions(booster: xgb.Booster) -> Any:
    """What it says of the first rows."""
    return booster.predict(xgb.DMatrix(boston()[0][:50].astype(np.float32)))


@cache
def raw(form: str) -> bytes:
    """The model's bytes in one of xgboost's forms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return bytes(trained().save_raw(form))


def snapshot_of_1_2() -> bytes:
    """The state of a Booster as xgboost 1.2 serialized it: the mark, an offset, binary model, configuration."""
    model = raw("deprecated")
    return (
        b"CONFIG-offset:" + struct.pack("<q", len(model)) + model + trained().save_config().encode()
    )


def pickled(state: Any, protocol: int) -> bytes:
    """A pickled Booster with this state, as old versions of Python wrote one."""
    # pickle itself would refuse to write a class that is not what its name leads to.
    name = b"cxgboost.core\nBooster\n"
    body = pickle.dumps(state, protocol)[2 if protocol >= 2 else 0 : -1]
    if protocol >= 2:
        return bytes([0x80, protocol]) + name + b")\x81" + body + b"b."
    return b"ccopy_reg\n_reconstructor\n(" + name + b"c__builtin__\nobject\nNtR" + body + b"b."


def read(tmp_path: Path, content: bytes) -> artifact.Model:
    """What a file with this content holds."""
    path = tmp_path / "xgboost-model"
    path.write_bytes(content)
    return artifact.load(path)


@pytest.mark.parametrize("name", CURRENT)
def test_what_a_version_writes_is_read_and_predicts_the_same(tmp_path: Path, name: str) -> None:
    """To the last bit, and the number of features is known."""
    path = tmp_path / "model" / "xgboost-model"
    artifact.save(trained(), path, named(name))
    model = artifact.load(path)
    assert np.array_equal(predictions(model.booster), predictions(trained()))
    assert model.features == 13
    assert [file.name for file in path.parent.iterdir()] == ["xgboost-model"]


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("0.90-1", b"\x80\x03cxgboost.core\nBooster"),
        ("1.0-1", b"\x80\x03cxgboost.core\nBooster"),
        ("1.2-2", b"\x80\x04"),
        ("1.3-1", b"binf"),
        ("1.7-1", b"binf"),
        ("3.0-5", b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner"),
    ],
)
def test_each_version_has_its_form(tmp_path: Path, name: str, start: bytes) -> None:
    """A pickle until 1.2-2, the old binary form until 1.7-1, then UBJSON."""
    artifact.save(trained(), tmp_path / "m", named(name))
    assert (tmp_path / "m").read_bytes().startswith(start)


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize("name", ["0.90-2", "1.2-1"])
def test_a_notebook_unpickles_an_old_artifact(tmp_path: Path, name: str) -> None:
    """`pickle.load(open('xgboost-model', 'rb'))` gives a Booster that predicts."""
    artifact.save(trained(), tmp_path / "m", named(name))
    with (tmp_path / "m").open("rb") as file:
        booster = pickle.load(file)
    assert np.array_equal(predictions(booster), predictions(trained()))


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize("form", ["deprecated", "json", "ubj"])
def test_each_form_of_xgboost_is_read(tmp_path: Path, form: str) -> None:
    """Whatever the file is called."""
    model = read(tmp_path, raw(form))
    assert np.array_equal(predictions(model.booster), predictions(trained()))
    assert not model.pickled


@pytest.mark.documented("notes/xgboost.md#artifact")
@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_boosters_that_old_images_pickled_are_read(tmp_path: Path, protocol: int) -> None:
    """The state of 0.72 to 1.0 holds the binary form; best_iteration is kept."""
    state = {
        "handle": bytearray(raw("deprecated")),
        "feature_names": [f"f{number}" for number in range(13)],
        "feature_types": None,
        "best_iteration": 2,
        "best_ntree_limit": 3,
    }
    model = read(tmp_path, pickled(state, protocol))
    assert np.array_equal(predictions(model.booster), predictions(trained()))
    assert (model.pickled, model.best_iteration) == (True, 2)


@pytest.mark.documented("notes/xgboost.md#artifact")
def test_the_snapshot_that_1_2_pickled_is_read(tmp_path: Path) -> None:
    """It begins with CONFIG-offset: and is no model by itself."""
    model = read(tmp_path, pickled({"handle": bytearray(snapshot_of_1_2())}, 4))
    assert np.array_equal(predictions(model.booster), predictions(trained()))


class Harmful:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("inside", [False, True])
def test_a_harmful_pickle_is_not_executed(tmp_path: Path, inside: bool) -> None:
    """Neither by itself nor within the state of a Booster."""
    harmful: Any = Harmful(tmp_path / "made")
    content = pickled({"handle": harmful}, 4) if inside else pickle.dumps(harmful)
    with pytest.raises(UnreadableModel, match=r"posix\.mkdir is no part of a Booster"):
        read(tmp_path, content)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"hello", "not a pickled Booster"),
        (b"{}", "Invalid model format"),
        (b"bs64\t", "incomplete or damaged"),
        (b"\x00" * 200, "incomplete or damaged"),
        (bytes(range(256)) * 40, "incomplete or damaged"),
        (pickle.dumps({"handle": 1}), "a pickle of dict, not of a Booster"),
        (pickled({}, 3), "has no model in it"),
        (pickled({"handle": "text"}, 3), "has no model in it"),
        (pickled("text", 3), "has no model in it"),
        (b"\x80\x03cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "bytearray of something other"),
        (
            b"\x80\x03c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00utf-8\x86R.",
            "other than latin1",
        ),
        (b"\x80\x03cbuiltins\nobject\n)\x81.", "a pickle of object"),
        (
            b"ccopyreg\n_reconstructor\n(cbuiltins\nobject\ncbuiltins\nobject\nNtR.",
            "other than a Booster",
        ),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """With a reason; and a pickle cannot ask for memory that it does not hold."""
    with pytest.raises(UnreadableModel, match=message):
        read(tmp_path, content)


@given(st.sampled_from(["deprecated", "ubj", "json", "pickle", "snapshot"]), st.floats(0, 0.95))
@example("ubj", 646 / 5179)
@example("snapshot", 0.6)
def test_a_truncated_model_is_refused(
    tmp_path_factory: pytest.TempPathFactory, form: str, part: float
) -> None:
    """At whatever byte it was cut."""
    whole = {
        "pickle": lambda: pickle.dumps(trained()),
        "snapshot": lambda: pickled({"handle": bytearray(snapshot_of_1_2())}, 4),
    }.get(form, lambda: raw(form))()
    with pytest.raises(UnreadableModel):
        read(tmp_path_factory.mktemp("cut"), whole[: int(len(whole) * part)])


def test_hidden_files_are_no_models(tmp_path: Path) -> None:
    """Nor are folders; the others come in the order of their names."""
    for name in (".hidden", "xgboost-model-1", "xgboost-model-0"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "code").mkdir()
    assert [path.name for path in artifact.files(tmp_path)] == [
        "xgboost-model-0",
        "xgboost-model-1",
    ]


def test_a_pickled_booster_is_what_pickle_itself_writes(tmp_path: Path) -> None:
    """The hand-made pickles of this test have the form of real ones."""
    stream = io.BytesIO()
    pickle.Pickler(stream, 3).dump(trained())
    state = trained().__getstate__()
    assert read(tmp_path, pickled(state, 3)).features == read(tmp_path, stream.getvalue()).features
