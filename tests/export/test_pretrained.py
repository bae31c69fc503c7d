"""From an output folder to a folder that SpeechBrain loads, or no change.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
import shutil

import pytest
import soundfile
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.inference.interfaces import foreign_class

from speechbrain_hrf import collapse
from speechbrain_hrf.export import (
    export_pretrained,
    pretrained,
)
from speechbrain_hrf.export.model import trained_model
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.nnet import algebra

LABELS = ["neutral", "happy", "sad", "angry"]
ON_CPU = {"device": "cpu"}


def content(folder):
    """Bytes of each file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def classify(folder, wavs, **options):
    """Log-probabilities of an exported model."""
    classifier = EncoderClassifier.from_hparams(
        source=str(folder), run_opts=ON_CPU, **options
    )
    return classifier.classify_batch(wavs)[0]


def edit(path, old, new):
    """Replaces text in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def change_parameters(folder, change):
    """Changes the embedding model's parameters in all checkpoints."""
    for path in folder.glob("save/CKPT*/embedding_model.ckpt"):
        state = torch.load(path)
        change(state)
        torch.save(state, path)


def test_files_and_report(exported):
    """The folder holds these files; the report says what is in it."""
    _, report = exported
    (module,) = (name for name in report.files if name.endswith(".py"))
    assert re.fullmatch(r"hrf_conformer_[0-9a-f]{8}\.py", module)
    assert sorted(report.files) == sorted(
        [
            "README.md",
            "classifier.ckpt",
            "embedding_model.ckpt",
            "hyperparams.yaml",
            "hyperparams_standalone.yaml",
            "label_encoder.ckpt",
            module,
        ]
    )
    assert report.files == {
        name: len(data) for name, data in content(report.folder).items()
    }
    assert report.max_difference <= 1e-5
    assert report.audio == "3 recordings of the test set"
    assert report.trained_parameters > report.merged_parameters
    assert len(report.load.splitlines()) == 3
    for part in (str(report.folder), report.load.splitlines()[1]):
        assert part in str(report)
    assert os.listdir(report.folder.parent).count("model") == 1
    assert not [n for n in os.listdir(report.folder.parent) if n[0] == "."]


def test_the_three_lines_work(exported, monkeypatch):
    """They run as they are printed."""
    output, report = exported
    monkeypatch.chdir(output.parent / "data")
    found = {}
    exec(report.load.replace("speech.wav", "0.flac"), found)
    assert found["label"][0] in LABELS
    assert found["log_probabilities"].exp().sum() == pytest.approx(1)


def test_log_probabilities_are_the_trained_models(exported):
    """Compared here once more, without the export's own comparison."""
    output, report = exported
    modules = trained_model(Training(output))
    wavs = torch.randn(2, 8000)
    lens = torch.ones(2)
    with torch.no_grad():
        feats = modules["compute_features"](wavs)
        feats = modules["mean_var_norm"](feats, lens)
        embedding = modules["embedding_model"](feats, lens)
        expected = modules["classifier"](embedding).squeeze(1)
    assert "factors" in str(modules["embedding_model"].state_dict().keys())
    found = classify(report.folder, wavs)
    assert torch.allclose(found, expected, atol=1e-5)


def test_loads_from_anywhere(exported, tmp_path, monkeypatch):
    """By a relative path, from another folder, as a copy somewhere else."""
    _, report = exported
    wavs = torch.randn(1, 8000)
    expected = classify(report.folder, wavs)
    monkeypatch.chdir(report.folder)
    assert torch.equal(classify(".", wavs), expected)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(report.folder, "copy")
    assert torch.equal(classify("copy", wavs), expected)
    assert torch.equal(classify("copy", wavs, savedir="saved"), expected)


@pytest.mark.parametrize("samples", [1, 114, 399])
def test_tiny_files(exported, tmp_path, samples, monkeypatch):
    """It answers for files of a few samples."""
    monkeypatch.chdir(tmp_path)  # classify_file leaves a link there
    soundfile.write("tiny.wav", 0.1 * torch.randn(samples).numpy(), 16000)
    classifier = EncoderClassifier.from_hparams(
        source=str(exported[1].folder), run_opts=ON_CPU
    )
    log_probabilities, _, _, labels = classifier.classify_file("tiny.wav")
    assert log_probabilities.shape == (1, 4)
    assert log_probabilities.exp().sum() == pytest.approx(1)
    assert labels[0] in LABELS


def test_standalone_route(exported):
    """As the card says for those who have SpeechBrain only."""
    _, report = exported
    found = {}
    exec(report.load_standalone, found)
    wavs = torch.randn(1, 8000)
    classifier = found["classifier"]
    module = type(classifier).__module__
    assert module.startswith("hrf_conformer_")
    assert type(classifier.mods.embedding_model).__module__ == module
    expected = classify(report.folder, wavs)
    assert torch.equal(classifier.classify_batch(wavs)[0], expected)


def test_no_absolute_paths(exported):
    """Nothing in any file tells where it was made."""
    output, report = exported
    for name, data in content(report.folder).items():
        assert str(output.parent).encode() not in data, name
        if not name.endswith(".ckpt"):
            text = data.decode()
            assert not re.search(r"(?<![\w./<])/[a-z]+/", text), name
            assert "paths:" not in text


def test_parameters_are_merged_float32(exported):
    """Plain layers' names, and nothing else."""
    _, report = exported
    hparams = load_hyperpyyaml(open(report.folder / "hyperparams.yaml"))
    for name in ("embedding_model", "classifier"):
        state = torch.load(report.folder / f"{name}.ckpt")
        hparams[name].load_state_dict(state, strict=True)
        assert {v.dtype for v in state.values() if v.is_floating_point()} == {
            torch.float32
        }


def test_reused_savedir_serves_the_old_model(
    exported, training_output, quick, tmp_path
):
    """SpeechBrain's trap that the card warns of; no savedir, no trap."""
    _, first = exported
    second = export_pretrained(training_output(seed=2), tmp_path / "second")
    wavs = torch.randn(1, 8000)
    old = classify(first.folder, wavs, savedir=tmp_path / "saved")
    reused = classify(second.folder, wavs, savedir=tmp_path / "saved")
    assert torch.equal(reused, old)
    assert not torch.allclose(classify(second.folder, wavs), old)


def test_without_hrf(training_output, quick, tmp_path):
    """A plain training is exported the same way."""
    output = training_output(hrf_modules="[]")
    report = export_pretrained(output, tmp_path / "model")
    assert report.trained_parameters == report.merged_parameters
    assert report.max_difference == 0


def test_global_normalisation(training_output, tmp_path):
    """Its statistics are a loadable of their own, saved under another name."""
    output = training_output(
        model="speechbrain.lobes.models.hrf.ConvTransformer",
        hrf_modules="[QKV, FFN1]",
        norm_type="global",
    )
    report = export_pretrained(output, tmp_path / "model")
    assert "mean_var_norm.ckpt" in report.files
    yaml = (report.folder / "hyperparams.yaml").read_text()
    assert "mean_var_norm: !ref <mean_var_norm>\n        embedding" in yaml
    assert "speechbrain.lobes.models.hrf" not in yaml


MODEL_BESIDE_THE_RECIPE = '''
"""Somebody's own model."""
import torch


class Mean(torch.nn.Module):
    def __init__(self, d_model, activation, segment_frames):
        super().__init__()
        self.linear = torch.nn.Linear(78, d_model)
        self.activation = activation()

    def forward(self, feats, wav_lens=None):
        return self.activation(self.linear(feats)).mean(1, keepdim=True)
'''


def test_a_users_own_model(training_output, tmp_path, monkeypatch):
    """Any recipe with the five keys; its module is bundled too."""
    (tmp_path / "my_model.py").write_text(MODEL_BESIDE_THE_RECIPE)
    monkeypatch.syspath_prepend(tmp_path)
    output = training_output(model="my_model.Mean", hrf_modules="['*.linear']")
    report = export_pretrained(output, tmp_path / "model")
    (module,) = (name for name in report.files if name.endswith(".py"))
    assert "class Mean" in (report.folder / module).read_text()
    classifier = foreign_class(
        source=str(report.folder),
        hparams_file="hyperparams_standalone.yaml",
        pymodule_file=module,
        classname="BundledEncoderClassifier",
        run_opts=ON_CPU,
    )
    wavs = torch.randn(1, 8000)
    found = classifier.classify_batch(wavs)[0]
    assert torch.equal(found, classify(report.folder, wavs))


def remove(pattern):
    """A fault: files are not there."""

    def spoil(output):
        for path in output.glob(pattern):
            path.unlink()

    return spoil


def spoil_weights(change):
    """A fault: parameters are not right."""
    return lambda output: change_parameters(output, change)


def spoil_text(name, old, new):
    """A fault: a file says something else."""
    return lambda output: edit(output / name, old, new)


def set_nan(state):
    """Diverged factors."""
    key = next(key for key in state if "hrf_factors.1" in key)
    state[key][0, 0] = float("nan")


def cut(pattern):
    """Half of a file."""

    def spoil(output):
        (path,) = output.glob(pattern)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return spoil


def set_plain_nan(state):
    """Diverged elsewhere."""
    state["front_end.conv1.bias"][0] = float("inf")


FAULTS = {
    "no YAML": (remove("hyperparams.yaml"), FileNotFoundError, "hyperparams"),
    "no classifier file": (
        remove("save/*/classifier.ckpt"),
        FileNotFoundError,
        "holds no classifier.ckpt",
    ),
    "parameters cut off": (
        cut("save/CKPT*/embedding_model.ckpt"),
        ValueError,
        "embedding_model.ckpt cannot be read as",
    ),
    "no labels": (
        remove("save/label_encoder.txt"),
        FileNotFoundError,
        "no label encoder",
    ),
    "NaN in factors": (spoil_weights(set_nan), ValueError, "NaN or Inf"),
    "Inf elsewhere": (spoil_weights(set_plain_nan), ValueError, "conv1.bias"),
    "another size": (
        spoil_text("hyperparams.yaml", "d_model: 8", "d_model: 16"),
        ValueError,
        "embedding_model.ckpt does not fit Conformer.*of another shape",
    ),
    "another architecture": (
        spoil_text("hyperparams.yaml", ".Conformer", ".SpeechFormer"),
        ValueError,
        "does not fit SpeechFormer.*missing.*unknown",
    ),
    "a key is missing": (
        spoil_weights(lambda state: state.pop("front_end.conv1.bias")),
        ValueError,
        r"1 missing \(front_end.conv1.bias\)",
    ),
    "other HRF options": (
        spoil_text("hyperparams.yaml", "hrf_ratio: 4", "hrf_ratio: 2"),
        ValueError,
        "does not fit.*factors",
    ),
    "HRF not said": (
        spoil_text("hyperparams.yaml", "hrf_modules", "my_modules"),
        ValueError,
        "is factorised, but.*hrf_modules",
    ),
    "too few labels": (
        spoil_text("save/label_encoder.txt", "'angry' => 3\n", ""),
        ValueError,
        "4 outputs, but.*3 labels",
    ),
    "damaged labels": (
        spoil_text("save/label_encoder.txt", "'angry' => 3\n", "x y\n"),
        ValueError,
        "no label encoder of SpeechBrain",
    ),
    "gap in labels": (
        spoil_text("save/label_encoder.txt", "'angry' => 3\n", "'a' => 7\n"),
        ValueError,
        "does not number its labels",
    ),
    "damaged scores": (
        spoil_text("test_metrics.json", "{", ""),
        ValueError,
        "test_metrics.json is not valid JSON",
    ),
    "scores of a checkpoint that is gone": (
        spoil_text("test_metrics.json", "save/CKPT", "save/GONE"),
        FileNotFoundError,
        "which is not there any more",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_leave_the_target_alone(
    training_output, exported, quick, tmp_path, fault
):
    """The error names the thing; the old export is as it was."""
    spoil, error, says = FAULTS[fault]
    target = tmp_path / "model"
    shutil.copytree(exported[1].folder, target)
    before = content(target)
    output = training_output()
    spoil(output)
    with pytest.raises(error, match=says):
        export_pretrained(output, target)
    assert content(target) == before
    assert sorted(os.listdir(tmp_path)) == sorted(
        ["data", "model", "output", "recipe.yaml"]
    )


def test_damaged_statistics(training_output, tmp_path):
    """Cut off, or no numbers."""
    output = training_output(norm_type="global")
    (path,) = output.glob("save/CKPT*/normalizer.ckpt")
    whole = torch.load(path)
    cut("save/CKPT*/normalizer.ckpt")(output)
    with pytest.raises(ValueError, match="normalizer.ckpt cannot be loaded"):
        export_pretrained(output, tmp_path / "model")
    whole["glob_mean"].view(-1)[0] = torch.nan
    torch.save(whole, path)
    with pytest.raises(ValueError, match="what the training saved of .* does"):
        export_pretrained(output, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_wrong_product_is_not_exported(
    training_output, tmp_path, monkeypatch
):
    """Without b_1 W_2 the export fails, though it could load what it wrote."""
    monkeypatch.setattr(
        algebra,
        "collapse_exactly",
        lambda factors, biases, norms: collapse(
            factors, [None] * (len(biases) - 1) + [biases[-1]]
        ),
    )
    with pytest.raises(ValueError, match="changes its output"):
        export_pretrained(training_output(), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_very_confident_model(training_output, quick, tmp_path):
    """Log-probabilities of -1000 hold no 1e-5 in float32; it still passes.

    Trained and exported model multiply with the same weights, bit for bit.
    """
    output = training_output()
    (path,) = output.glob("save/CKPT*/classifier.ckpt")
    state = torch.load(path)
    state["linear2.hrf_factors.2"] *= 2000
    torch.save(state, path)
    report = export_pretrained(output, tmp_path / "model")
    wavs = torch.randn(1, 8000)
    assert classify(tmp_path / "model", wavs).min() < -100
    assert report.max_difference <= 1e-5


def test_refused_before_any_work(training_output, tmp_path, monkeypatch):
    """Nobody waits for an export that cannot be written."""
    monkeypatch.setattr(pretrained, "plain_model", lambda training: 1 / 0)
    output = training_output()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match="it holds thesis.tex"):
        export_pretrained(output, tmp_path / "thesis")
    with pytest.raises(FileExistsError, match="it holds .*no export"):
        export_pretrained(output, output)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        export_pretrained(output, tmp_path / "file" / "model")


@pytest.mark.parametrize(
    "files, says",
    [
        (["README.md"], "no hyperparams.yaml"),
        (["README.md", "hyperparams.yaml"], "not written by an export"),
        (["hyperparams.yaml", ".git"], "holds .git"),
        (["hyperparams.yaml", "custom.py"], "holds custom.py"),
    ],
)
def test_folders_that_are_not_ours(tmp_path, files, says):
    """Somebody's model of the same shape is not ours to replace."""
    for name in files:
        (tmp_path / name).write_text("sample_rate: 16000\n")
    assert says in pretrained.why_not_ours(tmp_path)


def test_used_exports_are_ours(exported, tmp_path):
    """Python's cache beside the bundled file is no foreign file."""
    shutil.copytree(exported[1].folder, tmp_path / "model")
    (tmp_path / "model" / "__pycache__").mkdir(exist_ok=True)
    assert pretrained.why_not_ours(tmp_path / "model") is None


def test_a_second_export_replaces_the_first(
    training_output, exported, quick, tmp_path
):
    """No file of the first one stays."""
    target = tmp_path / "model"
    shutil.copytree(exported[1].folder, target)
    output = training_output(
        model="speechbrain_hrf.lobes.models.SpeechFormer", hrf_modules="[FFN1]"
    )
    report = export_pretrained(output, target)
    assert sorted(os.listdir(target)) == sorted(report.files)
    assert not [name for name in report.files if "conformer" in name]
