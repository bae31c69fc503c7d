"""Features are written as a stream; no damage goes unnoticed."""

import json
import tracemalloc

import numpy as np
import pytest

from speechbrain_hrf.dataio.features.file import (
    FEATURES,
    INDEX,
    CachedFeatures,
    DamagedFeatures,
    FeatureWriter,
    check_content,
    read_index,
)

MADE_FROM = {"options": {"n_mels": 26}, "data": "abc"}
FEATS = {
    name: np.random.default_rng(len(name)).random((n, 78), dtype="float32")
    for name, n in [("a", 5), ("bb", 0), ("ccc", 300)]
}


@pytest.fixture
def folder(tmp_path):
    with FeatureWriter(tmp_path) as writer:
        for name, feats in FEATS.items():
            writer.add(name, feats)
        writer.finish(MADE_FROM)
    return tmp_path


def test_what_was_written_is_read(folder):
    with pytest.raises(DamagedFeatures, match="made from something else"):
        read_index(folder, {**MADE_FROM, "data": "abd"})
    index = read_index(folder, MADE_FROM)
    check_content(folder, index)
    features = CachedFeatures(folder / FEATURES, 78, index["rows"])
    for name, feats in FEATS.items():
        assert np.array_equal(features(name), feats)
    features("a").zero_()  # a copy
    assert np.array_equal(features("a"), FEATS["a"])
    assert sorted(path.name for path in folder.iterdir()) == [FEATURES, INDEX]


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def swap_utterances(path):
    index = json.loads(path.read_text())
    rows = index["rows"]
    rows["a"], rows["ccc"] = rows["ccc"], rows["a"]
    path.write_text(json.dumps(index))


def remove(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def list_instead(path):
    path.write_text("[1]")


@pytest.mark.parametrize(
    "name, damage, reason",
    [
        (FEATURES, cut, "checksum"),
        (FEATURES, lengthen, "checksum"),
        (FEATURES, flip_a_bit, "checksum"),
        (FEATURES, empty, "checksum"),
        (FEATURES, remove, "features.f32 is missing"),
        (INDEX, cut, "cannot be read"),
        (INDEX, swap_utterances, "was changed"),
        (INDEX, remove, "index.json is missing"),
        (INDEX, empty, "index.json cannot be read"),
        (INDEX, list_instead, "index.json cannot be read"),
    ],
)
def test_damage_is_found(folder, name, damage, reason):
    damage(folder / name)
    with pytest.raises(DamagedFeatures, match=reason):
        check_content(folder, read_index(folder, MADE_FROM))


def test_what_is_not_finished_cannot_be_read(tmp_path):
    with FeatureWriter(tmp_path) as writer:
        writer.add("a", FEATS["a"])
    with pytest.raises(DamagedFeatures, match="index.json is missing"):
        read_index(tmp_path, MADE_FROM)


@pytest.mark.parametrize(
    "feats",
    [
        np.zeros((2, 77), "float32"),
        np.zeros((2, 78), "float64"),
        np.zeros(78, "float32"),
    ],
)
def test_other_shapes_and_types_are_refused(tmp_path, feats):
    with FeatureWriter(tmp_path) as writer:
        writer.add("a", FEATS["a"])
        with pytest.raises(ValueError, match="^b: features are"):
            writer.add("b", feats)


def test_memory_stays_bounded(tmp_path):
    tracemalloc.start()
    try:
        with FeatureWriter(tmp_path) as writer:
            for number in range(40):
                writer.add(str(number), np.ones((2**18, 1), "float32"))
            writer.finish(MADE_FROM)
        check_content(tmp_path, read_index(tmp_path, MADE_FROM))
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
    assert (tmp_path / FEATURES).stat().st_size == 40 * 2**20


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "[" * 5000])
def test_an_index_that_is_no_mapping(tmp_path, text):
    (tmp_path / "features.f32").write_bytes(b"")
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(DamagedFeatures, match="index.json cannot be read"):
        read_index(tmp_path, {})
