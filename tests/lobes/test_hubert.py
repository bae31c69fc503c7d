"""HuBERT's frames: 50 per second, frozen, and errors that say what to do.

A small model of random weights stands for the real one.
"""

import pickle
import shutil
import sys

import pytest
import torch

from speechbrain_hrf.dataio.features.key import feature_settings
from speechbrain_hrf.dataio.segments import SegmentFeatures, compute_in_order
from speechbrain_hrf.lobes.hubert import Geometry, HubertFrames, read_geometry

transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed"
)
RATE = 16000


@pytest.fixture(scope="module")
def hubert(hubert_folder):
    return HubertFrames(str(hubert_folder))


def test_geometry_is_the_real_model_s(hubert):
    base = transformers.HubertConfig()  # its defaults are hubert-base
    assert hubert.geometry == Geometry(
        16, tuple(base.conv_kernel), tuple(base.conv_stride)
    )


@pytest.mark.parametrize(
    "seconds, frames", [(5, 249), (4, 199), (10, 499), (1, 49)]
)
def test_fifty_frames_per_second(hubert, seconds, frames):
    assert hubert.geometry.frames_for(seconds * RATE) == frames
    assert hubert(torch.zeros(1, seconds * RATE)).shape == (1, frames, 16)


@pytest.mark.parametrize("frames", [1, 2, 199, 249, 499])
def test_samples_are_the_fewest_that_give_so_many_frames(hubert, frames):
    samples = hubert.samples_for(frames)
    assert samples == 400 + 320 * (frames - 1)
    assert hubert.geometry.frames_for(samples) == frames
    assert hubert.geometry.frames_for(samples - 1) == frames - 1
    assert hubert.geometry.frames_for(samples + 319) == frames


def test_the_shortest_audio_gives_one_frame(hubert):
    wav = torch.rand(1, 114)
    padded = torch.nn.functional.pad(wav, (0, 286))
    assert torch.equal(hubert(wav), hubert(padded))
    assert hubert(wav).shape == (1, 1, 16)


def test_the_values_are_transformers_own(hubert, hubert_folder):
    model = transformers.HubertModel.from_pretrained(hubert_folder).eval()
    wav = 0.1 * torch.randn(1, 8000)
    with torch.no_grad():
        expected = model(wav).last_hidden_state
    assert torch.equal(hubert(wav), expected)
    assert expected.std() > 0.1


def test_waveforms_are_normalised_where_the_model_wants_it(
    hubert, hubert_folder, tmp_path
):
    shutil.copytree(hubert_folder, tmp_path, dirs_exist_ok=True)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(
        tmp_path
    )
    normalising = HubertFrames(str(tmp_path))
    wav = 0.01 * torch.randn(1, 8000) + 0.1
    expected = hubert((wav - wav.mean()) / wav.std(correction=0))
    assert torch.allclose(normalising(wav), expected, atol=1e-3)
    assert not torch.allclose(hubert(wav), expected, atol=1e-3)


def test_frozen_whatever_the_training_loop_does(hubert):
    wav = torch.randn(1, 8000)
    before = hubert(wav)
    assert hubert.train() is hubert
    assert not any(module.training for module in hubert.modules())
    assert torch.equal(hubert(wav), before)
    assert not before.requires_grad
    assert not any(p.requires_grad for p in hubert.parameters())


def test_other_processes_get_the_same(hubert, ravdess_folder):
    """Sent to one that is spawned, it is read from its folder again."""
    paths = [(str(p),) for p in sorted(ravdess_folder.glob("Actor_01/*"))[:9]]
    segment = SegmentFeatures(hubert, 100)
    found = compute_in_order(segment, paths, "", 2)
    assert len(segment(*paths[0])) == 100
    again = pickle.loads(pickle.dumps(segment))
    for arguments, feats in zip(paths, found, strict=True):
        assert torch.equal(segment(*arguments), torch.from_numpy(feats))
        assert torch.equal(segment(*arguments), again(*arguments))


def test_other_weights_make_another_cache(hubert, hubert_folder, tmp_path):
    model = transformers.HubertModel.from_pretrained(hubert_folder)
    with torch.no_grad():
        model.encoder.layer_norm.bias += 1e-3
    shutil.copytree(hubert_folder, tmp_path, dirs_exist_ok=True)
    model.save_pretrained(tmp_path)
    settings = [
        feature_settings(SegmentFeatures(frames, 249))
        for frames in (
            hubert,
            HubertFrames(str(hubert_folder)),
            HubertFrames(str(tmp_path)),
        )
    ]
    assert settings[0] == settings[1] != settings[2]


@pytest.mark.parametrize(
    "damage, reason",
    [
        ("config.json", "config.json"),
        ("preprocessor_config.json", "preprocessor_config.json"),
        ("model.safetensors", "safetensors"),
        (None, "Repo id must"),
        ("broken weights", ""),
    ],
)
def test_what_cannot_be_loaded(hubert_folder, tmp_path, damage, reason):
    source = tmp_path / "hubert"
    if damage:
        shutil.copytree(hubert_folder, source)
    if damage == "broken weights":
        (source / "model.safetensors").write_bytes(b"{}")
    elif damage:
        (source / damage).unlink()
    with pytest.raises(OSError) as error:
        HubertFrames(str(source))
    message = str(error.value)
    assert message.startswith("Cannot load a HuBERT from hubert_source")
    assert str(source) in message and reason in message
    assert "a local folder" in message


def test_a_hub_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(OSError, match="facebook/hubert-base.*a local folder"):
        read_geometry("facebook/hubert-base-ls960")


def test_a_model_of_another_kind(tmp_path):
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="of type bert.*give a HuBERT"):
        read_geometry(str(tmp_path))


def test_another_sample_rate(hubert_folder):
    with pytest.raises(ValueError, match="16000 Hz, but sample_rate is 8000"):
        HubertFrames(str(hubert_folder), 8000)


def test_without_transformers(hubert_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match="pip install transformers"):
        HubertFrames(str(hubert_folder))
