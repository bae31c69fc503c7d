"""What an export finds in an output folder, and what it says is missing.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import shutil

import pytest

from speechbrain_hrf.dataio.synthetic.corpus import MARKER
from speechbrain_hrf.export.training import Training


@pytest.fixture
def another_checkpoint():
    """Adds one more checkpoint to an output folder; gives its path."""

    def add(folder):
        (old,) = folder.glob("save/CKPT*")
        new = shutil.copytree(old, old.with_name("CKPT+later"))
        text = (new / "CKPT.yaml").read_text()
        assert "unixtime: " in text
        (new / "CKPT.yaml").write_text("unixtime: 9999999999.0\n")
        return new

    return add


def test_which_checkpoint(training_output, another_checkpoint):
    """The evaluated one, else the newest, else the one that is given."""
    output = training_output()
    (evaluated,) = output.glob("save/CKPT*")
    newest = another_checkpoint(output)
    training = Training(output)
    assert training.checkpoint == evaluated
    assert training.results.UA == 0.45

    training = Training(newest)
    assert training.checkpoint == newest
    # Scores are another checkpoint's; the corpus is the same.
    assert training.results.UA is None
    assert training.results.dataset == "RAVDESS"

    (output / "test_metrics.json").unlink()
    training = Training(output)
    assert training.checkpoint == newest
    assert training.results.dataset is None
    (newest / "CKPT.yaml").write_text("end-of-epoch: true\n")
    with pytest.raises(ValueError, match="CKPT.yaml .* is damaged.*unixtime"):
        Training(output)


def test_what_the_yaml_says_of_the_corpus(training_output):
    """For a checkpoint that nobody has evaluated."""
    output = training_output(metrics=None)
    with open(output / "hyperparams.yaml", "a") as stream:
        stream.write("corpus: mine\nlicence: CC0 1.0\ncaution: null\n")
    results = Training(output).results
    assert (results.dataset, results.licence) == ("mine", "CC0 1.0")
    assert results.task is None and results.caution is None
    assert results.synthetic is False


@pytest.mark.parametrize("metrics", [None, {"synthetic": False, "UA": 0.5}])
def test_a_synthetic_corpus_is_known_by_its_mark(
    training_output, tmp_path, metrics
):
    output = training_output(metrics=metrics)
    # One beside it does not make this one synthetic.
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / MARKER).touch()
    assert not Training(output).results.synthetic
    (tmp_path / "data" / MARKER).touch()
    assert Training(output).results.synthetic


def test_recordings_are_whole_files_that_are_at_hand(training_output, tmp_path):
    """Parts of recordings are left out: others hold voices of others."""
    output = training_output()
    # The paths of the YAML are not needed.
    output = shutil.move(output, tmp_path / "elsewhere")
    found = list(Training(output).recordings())
    data = tmp_path / "data"
    assert found == [(str(data / f"{i}.flac"), "sad") for i in range(3)]
    manifest = output / "manifests" / "test.json"
    entries = json.loads(manifest.read_text())
    entries["0"]["parts"] = [[0, 1]]
    entries["1"]["parts"] = None  # a whole file among others' parts
    del entries["1"]["emo"]
    entries["2"]["wav"] = "{data_root}/lost.flac"
    manifest.write_text(json.dumps(entries))
    found = list(Training(output).recordings())
    assert found == [(str(data / "1.flac"), None)]
    # As preparers write the name of a recording that has some itself
    shutil.copy(data / "1.flac", data / "take{1}.flac")
    entries["1"]["wav"] = "{data_root}/take{{1}}.flac"
    manifest.write_text(json.dumps(entries))
    found = list(Training(output).recordings())
    assert found == [(str(data / "take{1}.flac"), None)]
    manifest.unlink()
    assert list(Training(output).recordings()) == []


@pytest.mark.parametrize("name", ["none", "output/save/CKPT+typo", "output"])
def test_folders_that_are_no_training(tmp_path, name):
    """A typing error must not export another checkpoint."""
    (tmp_path / "output" / "save").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="There is no .*(folder|yaml)"):
        Training(tmp_path / name)
