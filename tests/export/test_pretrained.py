"""From an output folder to a folder that SpeechBrain loads, or no change.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import soundfile
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf import collapse
from speechbrain_hrf.export import export_pretrained, pretrained
from speechbrain_hrf.export.model import trained_model
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.nnet import algebra

LABELS = ["neutral", "happy", "sad", "angry"]
ON_CPU = {"device": "cpu"}


def content(folder):
    """Bytes of each file."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def classify(folder, wavs, **options):
    """Log-probabilities of an exported model."""
    classifier = EncoderClassifier.from_hparams(
        source=str(folder), run_opts=ON_CPU, **options
    )
    return classifier.classify_batch(wavs)[0]


def test_files_and_report(exported):
    """The folder holds these files; the report says what is in it."""
    _, report = exported
    (module,) = (name for name in report.files if name.endswith(".py"))
    assert re.fullmatch(r"hrf_conformer_[0-9a-f]{8}\.py", module)
    assert set(report.files) == {
        *("README.md", "hyperparams.yaml", "hyperparams_standalone.yaml"),
        *("classifier.ckpt", "embedding_model.ckpt", "label_encoder.ckpt"),
        *("manifest.json", "model.safetensors", module),
    }
    files = content(report.folder)
    assert report.files == {name: len(data) for name, data in files.items()}
    # Whoever may read one may read all.
    assert len({file.stat().st_mode for file in report.folder.iterdir()}) == 1
    assert report.max_difference <= 1e-5
    assert report.audio == "3 recordings of the test set"
    assert report.trained_parameters > report.merged_parameters
    for part in (str(report.folder), report.load.splitlines()[1]):
        assert part in str(report)
    card = (report.folder / "README.md").read_text()
    assert "trained on RAVDESS" in card
    assert (
        "modules: embedding_model.blocks.*.macaron.linear1, "
        "embedding_model.blocks.*.attention.project, classifier.linear1, "
        "classifier.linear2; ratio: 4; layers: 2)" in card
    )


def test_log_probabilities_are_the_trained_models(exported):
    """Compared here once more, without the export's own comparison."""
    output, report = exported
    modules = trained_model(Training(output))
    wavs, lens = torch.randn(2, 8000), torch.ones(2)
    with torch.no_grad():
        feats = modules["compute_features"](wavs)
        feats = modules["mean_var_norm"](feats, lens)
        embedding = modules["embedding_model"](feats, lens)
        expected = modules["classifier"](embedding).squeeze(1)
    assert "factors" in str(modules["embedding_model"].state_dict().keys())
    found = classify(report.folder, wavs)
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 114, 399, 8000])
def test_the_three_lines_work(exported, tmp_path, samples, monkeypatch):
    """They run as they are printed, for files of any length."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("speech.wav", 0.1 * torch.randn(samples).numpy(), 16000)
    found = {}
    exec(exported[1].load, found)
    assert found["label"][0] in LABELS
    assert found["log_probabilities"].shape == (1, 4)
    assert found["log_probabilities"].exp().sum() == pytest.approx(1)


def test_loads_from_anywhere_and_without_the_package(
    exported, tmp_path, monkeypatch
):
    """By a relative path, as a copy somewhere else, as the card says."""
    _, report = exported
    wavs = torch.randn(1, 8000)
    expected = classify(report.folder, wavs)
    monkeypatch.chdir(report.folder)
    assert torch.equal(classify(".", wavs), expected)
    monkeypatch.chdir(tmp_path)
    soundfile.write("speech.wav", 0.1 * torch.randn(8000).numpy(), 16000)
    shutil.copytree(report.folder, "copy")
    assert torch.equal(classify("copy", wavs, savedir="saved"), expected)
    found = {}
    exec(report.write_code(report.folder, standalone=True), found)
    classifier = found["classifier"]
    assert type(classifier).__module__ == report.module
    assert type(classifier.mods.embedding_model).__module__ == report.module
    assert torch.equal(classifier.classify_batch(wavs)[0], expected)


def test_merged_float32_and_no_absolute_paths(exported):
    """Plain layers' names, and nothing tells where the files were made."""
    output, report = exported
    for name, data in content(report.folder).items():
        assert str(output.parent).encode() not in data, name
        if not name.endswith(".ckpt"):
            assert not re.search(rb"(?<![\w./<])/[a-z]+/", data), name
    with open(report.folder / "hyperparams.yaml") as stream:
        hparams = load_hyperpyyaml(stream)
    for name in ("embedding_model", "classifier"):
        state = torch.load(report.folder / f"{name}.ckpt")
        hparams[name].load_state_dict(state, strict=True)
        kinds = {v.dtype for v in state.values() if v.is_floating_point()}
        assert kinds == {torch.float32}


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


MODEL_BESIDE_THE_RECIPE = '''
"""Somebody's own model."""
import torch

from speechbrain_hrf import apply_hrf


class Mean(torch.nn.Module):
    def __init__(self, d_model, activation, segment_frames):
        super().__init__()
        self.conv = torch.nn.Conv1d(78, 6, 3)
        self.linear = torch.nn.Linear(6, d_model)
        self.activation = activation()

    def forward(self, feats, wav_lens):
        frames = self.conv(feats.transpose(1, 2)).transpose(1, 2)
        return self.activation(self.linear(frames)).mean(1, keepdim=True)


class Grown(Mean):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        apply_hrf(self, ["linear"])


class Alone(Mean):
    def forward(self, feats):
        return super().forward(feats, None)


class Unfinished(Mean):
    def __init__(self, **sizes):
        raise KeyError("size")
'''


@pytest.fixture
def own_model(tmp_path, monkeypatch):
    """A module beside a recipe, to be imported there alone."""
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "my_model.py").write_text(MODEL_BESIDE_THE_RECIPE)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("my_model", None)


def test_a_users_own_model(
    own_model, training_output, quick, tmp_path, monkeypatch
):
    """What is printed loads it, in a process that cannot import its class.

    Statistics of the whole training set are a loadable of their own, and are
    saved under another name.
    """
    output = training_output(
        model="my_model.Mean",
        hrf_modules="['*.linear', '*.conv']",
        norm_type="global",
    )
    report = export_pretrained(output, tmp_path / "model")
    assert "mean_var_norm.ckpt" in report.files
    assert textwrap.indent(report.load, "  ") in str(report)
    card = (report.folder / "README.md").read_text()
    here = report.load.replace(str(report.folder), "path/to/this/folder")
    assert here in card and "run as code" in card
    monkeypatch.chdir(tmp_path)
    soundfile.write("speech.wav", 0.1 * torch.randn(8000).numpy(), 16000)
    code = f"{report.load}\nprint(log_probabilities.tolist(), label)"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    exec(report.write_code(report.folder, standalone=False), found)
    expected = f"{found['log_probabilities'].tolist()} {found['label']}"
    assert process.stdout.strip().splitlines()[-1] == expected


@pytest.mark.parametrize(
    "name, says",
    [
        ("Grown", r"\(Grown\) is expanded as soon as it is built"),
        ("Alone", r"cannot be run as EncoderClassifier .*give its modules"),
        ("Unfinished", r"modules cannot be built \(KeyError: size\)"),
    ],
)
def test_a_users_model_that_is_not_fit(
    own_model, training_output, tmp_path, name, says
):
    output = training_output(model="my_model.Mean", hrf_modules="['*.linear']")
    edit(YAML, "my_model.Mean", f"my_model.{name}")(output)
    with pytest.raises(ValueError, match=says):
        export_pretrained(output, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def remove(pattern):
    """A fault: files are not there."""
    return lambda output: [path.unlink() for path in output.glob(pattern)]


def cut(pattern):
    """A fault: half of a file is missing."""

    def spoil(output):
        (path,) = output.glob(pattern)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return spoil


def flip(pattern):
    """A fault: a disk has lost a bit of a number."""

    def spoil(output):
        (path,) = output.glob(pattern)
        data = bytearray(path.read_bytes())
        state = torch.load(path)
        number = next(v for v in state.values() if torch.is_tensor(v))
        data[data.index(number.numpy().tobytes())] ^= 1
        path.write_bytes(data)

    return spoil


def edit(name, old, new):
    """A fault: a file says something else."""

    def spoil(output):
        text = (output / name).read_text()
        assert old in text
        (output / name).write_text(text.replace(old, new))

    return spoil


def nest(name):
    """A fault: deeper than any reader goes."""
    return lambda output: (output / name).write_text("[" * 500)


def change(name, key, value):
    """A fault: one number of a checkpoint; None takes the parameter away."""

    def spoil(output):
        (path,) = output.glob(f"save/CKPT*/{name}.ckpt")
        state = torch.load(path)
        key_there = next(there for there in state if key in there)
        if value is None:
            del state[key_there]
        else:
            state[key_there].view(-1)[0] = value
        torch.save(state, path)

    return spoil


YAML, ENCODER = "hyperparams.yaml", "save/label_encoder.txt"
PARAMETERS, BIAS = "embedding_model", "front_end.conv1.bias"


@pytest.mark.parametrize(
    "spoil, error, says",
    [
        (remove(YAML), FileNotFoundError, "hyperparams"),
        (
            remove("save/*/classifier.ckpt"),
            FileNotFoundError,
            "holds no classifier.ckpt",
        ),
        (remove(ENCODER), FileNotFoundError, "no label encoder"),
        (
            cut("save/CKPT*/embedding_model.ckpt"),
            ValueError,
            "embedding_model.ckpt cannot be read as",
        ),
        (
            cut("save/CKPT*/normalizer.ckpt"),
            ValueError,
            "normalizer.ckpt cannot be loaded into mean_var_norm",
        ),
        (
            change("normalizer", "glob_mean", torch.nan),
            ValueError,
            "what the training saved of .* does",
        ),
        (
            change(PARAMETERS, "hrf_factors.1", torch.nan),
            ValueError,
            "NaN or Inf",
        ),
        (change(PARAMETERS, BIAS, torch.inf), ValueError, "conv1.bias"),
        (change(PARAMETERS, BIAS, None), ValueError, r"1 missing \(front_end"),
        (
            edit(YAML, "d_model: 8", "d_model: 16"),
            ValueError,
            "embedding_model.ckpt does not fit Conformer.*of another shape",
        ),
        (
            edit(YAML, ".Conformer", ".SpeechFormer"),
            ValueError,
            "does not fit SpeechFormer.*missing.*unknown",
        ),
        (
            flip("save/CKPT*/embedding_model.ckpt"),
            ValueError,
            "embedding_model.ckpt is damaged: the checksum",
        ),
        (
            flip("save/CKPT*/normalizer.ckpt"),
            ValueError,
            "normalizer.ckpt is damaged: the checksum",
        ),
        (
            edit(ENCODER, "'angry' => 3\n", ""),
            ValueError,
            "4 outputs, but.*3 labels",
        ),
        (
            edit(ENCODER, "'angry' => 3\n", "x y\n"),
            ValueError,
            "no label encoder of SpeechBrain",
        ),
        (
            edit(ENCODER, "'angry' => 3\n", "'a' => 7\n"),
            ValueError,
            "does not number its labels",
        ),
        (
            edit("test_metrics.json", "{", ""),
            ValueError,
            "test_metrics.json is not valid JSON",
        ),
        (
            nest("test_metrics.json"),
            ValueError,
            "test_metrics.json is not valid JSON",
        ),
        (
            nest("manifests/test.json"),
            ValueError,
            "test.json is not valid JSON",
        ),
        (nest(YAML), ValueError, "hyperparams.yaml is not valid YAML"),
        (
            edit("manifests/test.json", '"wav"', '"wave"'),
            ValueError,
            "test.json: 0 has no wav",
        ),
        (
            edit("test_metrics.json", '"save/CKPT', '3, "was": "CKPT'),
            ValueError,
            "test_metrics.json: checkpoint cannot be 3",
        ),
        (
            edit(YAML, "sample_rate: 16000\nn", "sample_rate: true\nn"),
            ValueError,
            "sample_rate is True, but must be the Hz",
        ),
        (
            edit("test_metrics.json", "save/CKPT", "save/GONE"),
            FileNotFoundError,
            "which is not there any more",
        ),
    ],
)
def test_faults_leave_the_target_alone(
    training_output, exported, quick, tmp_path, spoil, error, says
):
    """The error names the thing; the old export is as it was."""
    target = shutil.copytree(exported[1].folder, tmp_path / "model")
    before = content(target)
    output = training_output(norm_type="global")
    spoil(output)
    with pytest.raises(error, match=says):
        export_pretrained(output, target)
    assert content(target) == before
    there = {"data", "model", "output", "recipe.yaml"}
    assert set(os.listdir(tmp_path)) == there


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


@pytest.mark.parametrize(
    "files, says",
    [
        (["README.md"], "no hyperparams.yaml"),
        (["README.md", "hyperparams.yaml"], "not written by an export"),
        (["hyperparams.yaml", "custom.py"], "holds custom.py"),
    ],
)
def test_folders_that_are_not_ours(tmp_path, files, says):
    """Somebody's model of the same shape is not ours to replace."""
    for name in files:
        (tmp_path / name).write_text("sample_rate: 16000\n")
    assert says in pretrained.why_not_ours(tmp_path)


@pytest.mark.parametrize(
    "name", ["README.md", "own.ckpt", ".git", "manifest.json"]
)
def test_what_was_changed_since_is_not_replaced(
    training_output, exported, quick, tmp_path, name
):
    """Once it is moved away, the others are."""
    target = shutil.copytree(exported[1].folder, tmp_path / "model")
    (target / name).write_text("years of work")
    before, output = content(target), training_output()
    says = rf"its {name} was added or changed since .*move that away"
    with pytest.raises(FileExistsError, match=says):
        export_pretrained(output, target)
    assert content(target) == before
    (target / name).rename(tmp_path / "kept")
    export_pretrained(output, target)
    assert (target / "README.md").is_file()


def test_an_export_of_an_earlier_version_is_replaced():
    """It has no checksums to tell what was changed."""
    folder = pathlib.Path(__file__).with_name("exported_before")
    assert pretrained._why_not_replaced(folder) is None


@pytest.mark.parametrize(
    ("asked", "names", "options"),
    [
        (
            ["c"],
            "model.features.onnx, model.int8.onnx, model.onnx",
            "--onnx --int8",
        ),
        (["onnx"], "hrf_model.c, hrf_model.h, model.int8.onnx", "--c --int8"),
        (["onnx", "int8"], "hrf_model.c, hrf_model.h", "--c"),
        (["onnx", "c", "int8"], None, None),
    ],
)
def test_what_is_gone_with_the_earlier_export(exported, asked, names, options):
    """Is named; but not what was asked for, and was no gain."""
    made = {
        "onnx": {"model.onnx", "model.features.onnx"},
        "c": {"hrf_model.c", "hrf_model.h"},
    }
    before = {"hrf_model_01234567.py", "model.int8.onnx"}.union(*made.values())
    files = dict.fromkeys(set().union(*(made.get(x, ()) for x in asked)), 1)
    folder = pathlib.Path("m")
    report = replace(exported[1], files=files, folder=folder)
    said = pretrained._say_lost(before, report, asked)
    expected = f"No longer in m: {names}: add {options} to have them again"
    assert said == (expected if names else "")
    assert said in str(replace(report, lost=said))


def test_a_second_export_replaces_the_first(
    training_output, exported, quick, tmp_path
):
    """No file of the first one stays, nor Python's cache beside them."""
    target = tmp_path / "model"
    shutil.copytree(exported[1].folder, target)
    (target / "__pycache__").mkdir(exist_ok=True)
    output = training_output(
        model="speechbrain.lobes.models.hrf.SpeechFormer", hrf_modules="[FFN1]"
    )
    report = export_pretrained(output, target)
    assert sorted(os.listdir(target)) == sorted(report.files)
    assert not [name for name in report.files if "conformer" in name]
    yaml = (target / "hyperparams.yaml").read_text()
    assert "speechbrain.lobes.models.hrf" not in yaml  # that name is an alias
