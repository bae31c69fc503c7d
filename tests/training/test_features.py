"""--features hubert changes all that depends on it, and nothing else."""

import pathlib

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain.lobes.features import Fbank

from speechbrain_hrf.lobes.hubert import HubertFrames
from speechbrain_hrf.training.features import use_hubert
from speechbrain_hrf.training.launch import complete_overrides
from speechbrain_hrf.training.overrides import resolved_yaml
from speechbrain_hrf.training.stand_in import use_stand_in

REPOSITORY = pathlib.Path(__file__).parents[2]
YAMLS = sorted(REPOSITORY.glob("recipes/*/hparams/*.yaml"))
# Fbank's frames in a segment of 4, 5 or 10 s to HuBERT's
IN_FRAMES = {400: 199, 500: 249, 1000: 499}
# A YAML of each corpus; its three differ in the model alone, which take turns.
BY_TURNS = [YAMLS[3 * k + k % 3] for k in range(len(YAMLS) // 3)]


def loaded(yaml, overrides):
    with open(yaml) as stream:
        return load_hyperpyyaml(stream, overrides)


@pytest.fixture
def hubert(hubert_folder, tmp_path):
    return (
        f"features: hubert\nhubert_source: {hubert_folder}\n"
        f"output_folder: {tmp_path}"
    )


@pytest.mark.parametrize(
    "yaml", BY_TURNS, ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)
def test_every_recipe_can_be_trained_on_hubert(yaml, hubert):
    overrides = use_hubert(yaml, use_stand_in(yaml, hubert))
    hparams = loaded(yaml, overrides)
    assert isinstance(hparams["compute_features"], HubertFrames)
    assert hparams["n_feats"] == 16
    frames = IN_FRAMES[resolved_yaml(yaml, "")["segment_frames"]]
    assert hparams["segment_frames"] == frames
    assert hparams["embedding_model"].segment_frames == frames
    front_end = hparams["embedding_model"].front_end
    if "speechformer" in yaml.name:
        assert front_end.in_features == 16
    else:
        assert front_end.linear.in_features == 3 * front_end.conv1.out_channels


OWN_DATA = REPOSITORY / "recipes/OwnData/hparams/speechformer_hrf.yaml"


@pytest.mark.parametrize(
    ("seconds", "frames"), [("7", 700), ("5.5", 550), ("0.29", 29)]
)
def test_seconds_are_whole_frames(seconds, frames, hubert):
    given = f"data_folder: /data\nsegment_seconds: {seconds}"
    overrides = complete_overrides(OWN_DATA, given)
    found = resolved_yaml(OWN_DATA, overrides)["segment_frames"]
    assert found == frames and isinstance(found, int)
    both = complete_overrides(OWN_DATA, f"{given}\n{hubert}")
    assert resolved_yaml(OWN_DATA, both)["segment_frames"] == frames // 2 - 1


@pytest.mark.parametrize("seconds", ["5.555", "0"])
def test_other_seconds_are_refused(seconds):
    with pytest.raises(ValueError, match="segment_frames is .* whole number"):
        complete_overrides(
            OWN_DATA, f"data_folder: /data\nsegment_seconds: {seconds}"
        )


YAML = YAMLS[0]


@pytest.mark.parametrize("given", ["", "features: fbank", "seed: 3"])
def test_fbank_stays(given):
    assert use_hubert(YAML, given) == given
    assert isinstance(loaded(YAML, given)["compute_features"], Fbank)


def test_what_is_overridden_stays(hubert):
    overrides = use_hubert(YAML, f"{hubert}\nsegment_frames: 100\nseed: 3")
    hparams = loaded(YAML, overrides)
    assert hparams["segment_frames"] == 100 and hparams["seed"] == 3
    assert hparams["n_feats"] == 16


@pytest.mark.parametrize("features", ["wav2vec2", "HuBERT", "null"])
def test_other_features_are_refused(features):
    with pytest.raises(ValueError, match="must be fbank or hubert"):
        use_hubert(YAML, f"features: {features}")


def test_two_kinds_of_features_are_refused(hubert):
    own = "compute_features: !new:speechbrain.lobes.features.MFCC []"
    with pytest.raises(ValueError, match="leave out one of the two"):
        use_hubert(YAML, f"{hubert}\n{own}")


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="hubert_source /.*a local folder"):
        use_hubert(YAML, f"features: hubert\nhubert_source: {tmp_path}/none")


@pytest.mark.parametrize(
    "wrong, match",
    [
        ("cache_features: 'False'", "cache_features is 'False'"),
        ("cache_features: null", "cache_features is None"),
        ("feature_folder: null", "feature_folder is None: give a folder"),
    ],
)
def test_wrong_cache_options_are_refused_at_once(wrong, match):
    with pytest.raises(ValueError, match=match):
        use_hubert(YAML, use_stand_in(YAML, f"{wrong}\noutput_folder: x"))


def test_no_folder_is_needed_without_a_cache():
    given = "cache_features: False\nfeature_folder: null"
    assert use_hubert(YAML, given) == given
