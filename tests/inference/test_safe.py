"""What is loaded from plain data answers the same, and runs no code.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.definition import Definition
from speechbrain_hrf.export.manifest import list_files, write_manifest
from speechbrain_hrf.inference.allowed import build, why_refused
from speechbrain_hrf.inference.safe import (
    find_refusal,
    load,
    write_weights,
)
from speechbrain_hrf.runtime.__main__ import main

LABELS = ["neutral", "happy", "sad"]
YAML = """\
sample_rate: 16000
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 26
    deltas: True
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: {norm_type}
embedding_model: !new:speechbrain_hrf.lobes.models.{model}
    d_model: 8
    activation: !name:{activation}
classifier: !new:speechbrain_hrf.lobes.models.ClassifierHead
    d_model: 8
    n_classes: 3
"""


@pytest.fixture
def made(tmp_path):
    """Gives a function that writes a folder; it gives its modules, too."""

    def make(model="SpeechFormer", norm_type="sentence", more=""):
        activation = {
            "Conformer": "torch.nn.SiLU",
            "ConvTransformer": "speechbrain_hrf.lobes.models.SquaredReLU",
        }.get(model, "torch.nn.ReLU")
        text = YAML.format(
            model=model, norm_type=norm_type, activation=activation
        )
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "hyperparams.yaml").write_text(text + more)
        definition = Definition(folder / "hyperparams.yaml")
        with torch.random.fork_rng(devices=[]):
            modules = definition.build()
        if norm_type == "global":
            modules["mean_var_norm"](3 + 2 * torch.randn(4, 50, 78))
        for module in modules.values():
            module.eval()
        names = ["mean_var_norm", "embedding_model", "classifier"]
        write_weights(folder / "model.safetensors", modules, names)
        content = {
            "format": 1,
            "model": model,
            "labels": LABELS,
            "sample_rate": 16000,
            "modules": definition.describe(),
        }
        write_manifest(folder, {**content, "files": list_files(folder)})
        return folder, modules

    return make


def edit(folder, **changes):
    """Another manifest, its checksum right: a forger's."""
    manifest = json.loads((folder / "manifest.json").read_text())
    write_manifest(folder, {**manifest, **changes})


@pytest.mark.parametrize(
    "model, norm_type",
    [
        ("Conformer", "sentence"),
        ("ConvTransformer", "global"),
        ("SpeechFormer", "sentence"),
    ],
)
def test_it_answers_as_the_modules(made, model, norm_type):
    """To the last bit; the YAML of the folder is not there any more."""
    folder, modules = made(model, norm_type)
    (folder / "hyperparams.yaml").unlink()
    before = torch.random.get_rng_state()
    classifier = load(folder, {"device": "cpu"})
    assert torch.equal(torch.random.get_rng_state(), before)
    assert isinstance(classifier, EncoderClassifier)
    wavs, lens = torch.randn(2, 8000), torch.tensor([1.0, 0.5])
    found, _, index, labels = classifier.classify_batch(wavs, lens)
    with torch.no_grad():
        feats = modules["compute_features"](wavs)
        feats = modules["mean_var_norm"](feats, lens)
        expected = modules["classifier"](
            modules["embedding_model"](feats, lens)
        )
    assert torch.equal(found, expected.squeeze(1))
    assert labels == [LABELS[number] for number in index]


def test_models_of_speechbrains_own_tree(made):
    """Exported where SpeechBrain has them (contrib/upstream.py)."""
    folder, _ = made("ConvTransformer")
    wavs = torch.randn(1, 8000)
    expected = load(folder).classify_batch(wavs)[0]
    manifest = (folder / "manifest.json").read_text()
    ours, theirs = (
        "speechbrain_hrf.lobes.models.",
        "speechbrain.lobes.models.hrf.",
    )
    assert manifest.count(ours) == 3  # the activation, too
    modules = json.loads(manifest.replace(ours, theirs))["modules"]
    edit(folder, modules=modules)
    assert torch.equal(load(folder).classify_batch(wavs)[0], expected)
    edit(folder, modules={**modules, "classifier": {"class": f"{theirs}X"}})
    with pytest.raises(ValueError, match=r"models.hrf.X, which .* \(Classif"):
        load(folder)


def test_command(made, tmp_path, capsys):
    """Whole files and streams."""
    soundfile = pytest.importorskip("soundfile")
    folder, _ = made()
    soundfile.write(tmp_path / "a.wav", torch.randn(20000).numpy() / 9, 16000)
    command = ["--safe", str(folder), str(tmp_path / "a.wav")]
    assert main(command) == 0
    assert main([*command, "--stream"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    with pytest.raises(SystemExit):
        main([*command, "--graph", "other.onnx"])


def test_nothing_of_the_folder_is_run(made, tmp_path):
    """The YAML would; the negative control runs it."""
    folder, _ = made()
    mark = tmp_path / "was_run"
    with open(folder / "hyperparams.yaml", "a") as stream:
        stream.write(f"x: !apply:os.mkdir ['{mark}']\n")
    load(folder)
    assert not mark.exists()
    with open(folder / "hyperparams.yaml") as stream:
        load_hyperpyyaml(stream)
    assert mark.exists()


@pytest.mark.parametrize(
    "described, says",
    [
        ({"class": "os.system", "arguments": ["true"]}, "is os.system, which"),
        ({"class": "my_model.Mean"}, "is my_model.Mean, which is none of"),
        ({"class": "torch.nn.Linear", "arguments": [2, 1]}, "torch.nn.Linear"),
        ({"apply": "os.system", "arguments": ["true"]}, "holds {'apply': 'os"),
        ({"name": "os.system"}, "is os.system, which is none of the activat"),
        ({"name": "torch.nn.ReLU", "arguments": {}}, "nothing is called"),
        ({"tag": "!tuple", "value": "(1, 2)"}, "holds {'tag': '!tuple'"),
        (None, "is None, which is no module"),
        (5, "is 5, which is no module"),
        (
            {
                "class": "speechbrain_hrf.lobes.models.Conformer",
                "arguments": {"activation": {"name": "os.system"}},
            },
            "classifier.activation is os.system",
        ),
        (
            {"class": "speechbrain_hrf.lobes.models.Conformer", "x": 1},
            "nothing is called",
        ),
        (
            {
                "class": "speechbrain_hrf.lobes.models.Conformer",
                "arguments": {"size": 1},
            },
            "cannot be built as its manifest.json",
        ),
    ],
)
def test_what_is_refused(made, described, says):
    """By its name, with the reason, whatever the checksums say."""
    folder, _ = made()
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(folder, modules={**manifest["modules"], "classifier": described})
    with pytest.raises(ValueError) as caught:
        load(folder)
    assert says in str(caught.value) and str(folder) in str(caught.value)


def test_weights_that_do_not_fit(made):
    folder, modules = made()
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match="model.safetensors is damaged"):
        load(folder)
    write_weights(path, modules, ["classifier"])
    edit(folder, files=list_files(folder))
    with pytest.raises(ValueError, match="does not fit the modules.*Missing"):
        load(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="model.safetensors is miss"):
        load(folder)


def test_a_folder_of_an_earlier_version():
    """It carries no plain description; from_hparams loads it."""
    tests = pathlib.Path(__file__).parents[1]
    with pytest.raises(ValueError, match="or an earlier version exported it"):
        load(tests / "export" / "exported_before")


def test_recipes_are_plain(repository):
    """Each recipe's model is built as its YAML builds it."""
    for path in sorted(repository.glob("recipes/*/hparams/*_hrf.yaml")):
        overrides = "data_folder: x\noutput_folder: x\n"
        described = Definition(path, overrides).describe()
        assert find_refusal(described) is None, path
        assert build(described["embedding_model"]) is not None
    assert why_refused({"class": "x.Y"}, "it").startswith("it is x.Y")
