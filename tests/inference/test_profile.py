"""``hrf profile``: where a model's parameters and MACs are.

That the counts are the paper's is held in tests/lobes/test_paper_counts.py.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import shutil
import sys

import pytest
import torch
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.checkpoints import DEFAULT_SAVE_HOOKS, get_default_hook

from speechbrain_hrf.cli import main
from speechbrain_hrf.inference.profile import profile
from speechbrain_hrf.nnet import apply_hrf

YAML = """\
sample_rate: 16000
width: 3
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 5
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
embedding_model: !new:test_profile.Embedding
    width: !ref <width>
classifier: !new:torch.nn.Linear [!ref <width>, 2]
hrf_modules: ["*linear"]
hrf_ratio: 2
"""
# 5 -> 6 -> 3 with both biases, and the classifier's 8.
TRAINED = (5 * 6 + 6) + (6 * 3 + 3) + 8


class Embedding(torch.nn.Module):
    """Hand-countable: a linear layer of 5 features and the last frame."""

    def __init__(self, width):
        super().__init__()
        self.linear = torch.nn.Linear(5, width)

    def forward(self, feats, wav_lens):
        return self.linear(feats)[:, -1:]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe's YAML with such a model."""
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parent)
    path = tmp_path / "recipe" / "train.yaml"
    path.parent.mkdir()
    path.write_text(YAML)
    return path


def test_counts_by_hand():
    found = profile(Embedding(3), torch.nn.Linear(3, 2), frames=10, n_feats=5)
    costs = {layer.name: layer[2:] for layer in found.layers}
    assert costs == {
        "embedding_model.linear": (5 * 3 + 3, 10 * 5 * 3),
        "classifier": (3 * 2 + 2, 3 * 2),
    }
    assert (found.parameters, found.macs) == (26, 156)
    assert found.uncounted == ()


class Recurrent(torch.nn.Module):
    """A layer of a kind that the paper's rule does not name."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(5, 3, batch_first=True)

    def forward(self, feats, wav_lens):
        return self.lstm(feats)[0][:, -1:]


def test_what_is_not_counted_is_named():
    found = profile(Recurrent(), torch.nn.Linear(3, 2), frames=10, n_feats=5)
    assert found.uncounted == ("embedding_model.lstm (LSTM)",)
    assert str(found).endswith("no such layers: embedding_model.lstm (LSTM)")


def test_of_a_recipe_with_options(recipe, capsys):
    """Chains are merged; the factors count in training alone."""
    assert main(["profile", str(recipe), "--frames", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Embedding, 10 frames of 5 features"
    assert lines[2].split() == [
        *("embedding_model.linear", "Linear", "18", "150", "96.2", "%")
    ]
    assert lines[3].split()[:4] == ["classifier", "Linear", "8", "6"]
    assert lines[4].endswith(f"26 by the paper's rule, {TRAINED} in training")
    assert lines[5] == "shipped: 0.1 KiB of parameters in float32"
    assert len(lines) == 6
    assert main(["profile", str(recipe), "--width", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # 5 s, where the YAML does not say how long a segment is.
    assert lines[0] == "Embedding, 500 frames of 5 features"
    assert lines[2].split()[2:4] == ["24", "10,000"]


def test_of_an_exported_folder_and_of_a_training(tmp_path, recipe, capsys):
    """Frames of its segment; the files' sizes, where there are some."""
    folder = tmp_path / "model"
    before = pathlib.Path(__file__).parents[1] / "export" / "exported_before"
    shutil.copytree(before, folder)
    assert main(["profile", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Conformer, 200 frames of 78 features"
    assert "embedding_model.front_end.conv1" in lines[3]
    # Merged: what it had in training, it does not know.
    assert not any("in training" in line for line in lines)
    assert [line.split() for line in lines[-4:-2]] == [
        ["classifier.ckpt", "2,683", "bytes"],
        ["embedding_model.ckpt", "18,932", "bytes"],
    ]
    # What was trained, the checkpoint says, whatever the YAML does.
    text = recipe.read_text().replace("hrf_ratio: 2", "hrf_ratio: 4")
    recipe.with_name("hyperparams.yaml").write_text(text)
    checkpoint = recipe.parent / "save" / "CKPT+1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "CKPT.yaml").write_text("unixtime: 1")
    embedding = Embedding(3)
    apply_hrf(embedding, ["linear"], ratio=2)
    for name, module in (
        ("embedding_model", embedding),
        ("classifier", torch.nn.Linear(3, 2)),
        ("mean_var_norm", InputNormalization()),
    ):
        module_file = checkpoint / f"{name}.ckpt"
        get_default_hook(module, DEFAULT_SAVE_HOOKS)(module, module_file)
    for source in recipe.parent, checkpoint:
        assert main(["profile", str(source)]) == 0
        printed = capsys.readouterr().out
        assert "Embedding, 500 frames" in printed
        assert f"{TRAINED} in training" in printed


def test_a_model_in_the_current_folder(recipe, tmp_path, monkeypatch):
    """Which is no folder that Python looks in for the command ``hrf``."""
    source = "import torch\n\nclass Own(torch.nn.Linear):\n    pass\n"
    (tmp_path / "own_head.py").write_text(source)
    recipe.write_text(YAML.replace("torch.nn.Linear", "own_head.Own"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["profile", str(recipe)]) == 1
    monkeypatch.chdir(tmp_path)
    assert main(["profile", str(recipe)]) == 0


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["none"], "none is missing: give the output folder"),
        (["."], "There is no hyperparams.yaml in ."),
        (["RECIPE", "--wide", "4"], "'wide' not found"),
        (["RECIPE", "--width", "[4"], "not valid YAML"),
        (["RECIPE", "--width", "x"], "class test_profile.Embedding: "),
        (["RECIPE", "--hrf_modules", "[FFN9]"], "FFN9"),
        (["FOLDER", "--width", "4"], "such as width go with a recipe's YAML"),
    ],
)
def test_bad_input_is_one_sentence(
    recipe, tmp_path, monkeypatch, capsys, arguments, says
):
    monkeypatch.chdir(tmp_path)
    names = {"RECIPE": str(recipe), "FOLDER": str(recipe.parent)}
    arguments = [names.get(word, word) for word in arguments]
    assert main(["profile", *arguments]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("Error: ") and says in printed


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "required: source"),
        (["a.yaml", "b.yaml"], "unrecognized arguments: b.yaml"),
        (["a.yaml", "--frames", "0"], "--frames is 0"),
        (["a.yaml", "--device", "cpu"], "--device is an option of SpeechBr"),
        (["a.yaml", "--width", "4", "--debug"], "--debug is an option"),
    ],
)
def test_bad_arguments(capsys, arguments, says):
    with pytest.raises(SystemExit) as ended:
        main(["profile", *arguments])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
