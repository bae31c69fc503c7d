"""Datasets give the same with and without a cache."""

import json
import logging

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf.dataio.segments import SegmentFeatures
from speechbrain_hrf.lobes.hubert import HubertFrames
from speechbrain_hrf.training import (
    add_features,
    add_labels,
    fit_normalisation,
)

SPLITS = {"train": ["a", "b", "c"], "test": ["d"]}


@pytest.fixture
def corpus(tmp_path):
    for number, name in enumerate("abcd"):
        noise = np.random.default_rng(number).standard_normal(16000 + number)
        sf.write(tmp_path / f"{name}.wav", 0.1 * noise, 16000)
    for split, names in SPLITS.items():
        entries = {
            name: {
                "wav": f"{{data_root}}/{name}.wav",
                "parts": [[0, 4000], [8000, 12000]],
            }
            for name in names
        }
        (tmp_path / f"{split}.json").write_text(json.dumps(entries))
    return tmp_path


def load(corpus, compute_features=None, **options):
    datasets = {
        split: DynamicItemDataset.from_json(
            corpus / f"{split}.json", replacements={"data_root": str(corpus)}
        )
        for split in SPLITS
    }
    if compute_features is None:
        compute_features = Fbank(n_mels=26, deltas=True)
    segment = SegmentFeatures(compute_features, 500)
    add_features(datasets, segment, str(corpus), **options)
    for dataset in datasets.values():
        dataset.set_output_keys(["id", "feats"])
    return datasets


@pytest.mark.parametrize(
    ("takes", "frames"), [(["wav"], 101), (["wav", "parts"], 51)]
)
def test_the_same_with_and_without_a_cache(corpus, takes, frames):
    plain = load(corpus, takes=takes)
    cached = load(corpus, feature_folder=corpus / "features", takes=takes)
    for split, names in SPLITS.items():
        for number, name in enumerate(names):
            expected, found = plain[split][number], cached[split][number]
            assert expected["id"] == found["id"] == name
            assert torch.equal(expected["feats"], found["feats"])
            assert len(found["feats"]) == frames
    assert len(list((corpus / "features").iterdir())) == len(SPLITS)


def test_without_a_folder_nothing_is_written(corpus):
    before = sorted(corpus.iterdir())
    load(corpus)["train"][0]
    assert sorted(corpus.iterdir()) == before


@pytest.mark.parametrize(
    "options, match",
    [
        ({"cache_features": "False"}, "cache_features is 'False'"),
        ({"cache_features": 1}, "cache_features is 1: it must be True"),
        ({"feature_folder": None}, "feature_folder is None: give a folder"),
        ({"feature_folder": ""}, "feature_folder is ''"),
        ({"feature_folder": True}, "feature_folder is True"),
    ],
)
def test_wrong_cache_options_are_refused(corpus, options, match):
    before = sorted(corpus.iterdir())
    right = {"feature_folder": corpus / "features", "cache_features": True}
    with pytest.raises(ValueError, match=match):
        load(corpus, **{**right, **options})
    assert sorted(corpus.iterdir()) == before
    load(corpus, **{**right, "cache_features": False})
    assert sorted(corpus.iterdir()) == before
    load(corpus, **right)
    assert (corpus / "features").exists()


def test_hubert_without_a_cache_is_warned_of(corpus, hubert_folder, caplog):
    logger = logging.getLogger("speechbrain_hrf.training.data")
    logger.addHandler(caplog.handler)
    try:
        load(corpus)
        hubert = HubertFrames(str(hubert_folder))
        load(corpus, compute_features=hubert, feature_folder=corpus / "f")
        assert "HuBERT's features" not in caplog.text
        load(corpus, compute_features=hubert)
    finally:
        logger.removeHandler(caplog.handler)
    assert "HuBERT's features are not kept" in caplog.text


def test_cached_features_need_no_audio(corpus):
    datasets = load(corpus, feature_folder=corpus / "features")
    for path in corpus.glob("*.wav"):
        path.unlink()
    assert datasets["train"][0]["feats"].shape == (101, 78)


def test_random_numbers_do_not_depend_on_the_cache(corpus):
    after = []
    for options in ({}, *[{"feature_folder": corpus / "features"}] * 2):
        torch.manual_seed(1)
        load(corpus, **options)
        after.append(torch.rand(1))
    assert after[0] == after[1] == after[2]


def test_normalisation_is_over_all_frames(corpus):
    dataset = load(corpus, feature_folder=corpus / "features")["train"]
    norm = InputNormalization(norm_type="global", update_until_epoch=1)
    fit_normalisation(norm, dataset)
    frames = torch.cat([item["feats"] for item in dataset]).double()
    assert torch.allclose(norm.glob_mean.double(), frames.mean(0), atol=1e-4)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"emo": "frustrated"}, "'emo' is 'frustrated'"),
        ({"emo": ["sad"]}, r"'emo' is \['sad'\]"),
        ({"state": "sad"}, "no 'emo'"),
    ],
)
def test_unknown_labels_are_named_before_training(entry, found):
    """Also where only the test set, which is read last, has them."""
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(["happy", "sad"])
    datasets = {
        "train": DynamicItemDataset({"a": {"emo": "sad"}}),
        "test": DynamicItemDataset({"b": {"emo": "happy"}, "c": entry}),
    }
    said = f"Utterance 'c' in the manifest of the test set: {found}, and the "
    with pytest.raises(ValueError, match=f"{said}.* classes are happy, sad. "):
        add_labels(datasets, encoder, takes="emo")
    datasets["test"] = DynamicItemDataset({"b": {"emo": "happy"}})
    add_labels(datasets, encoder, takes="emo")
    datasets["test"].set_output_keys(["label"])
    assert [int(item["label"]) for item in datasets["test"]] == [0]
