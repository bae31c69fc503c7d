"""What C is not written for is refused at export, by name.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shlex
import sys
from types import SimpleNamespace

import pytest
import torch
from c_models import LABELS, make_modules, make_noise
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.lobes.features import MFCC, Fbank
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf import ClassifierHead, SpeechFormer, cli
from speechbrain_hrf.export.c import files
from speechbrain_hrf.export.c.check import check
from speechbrain_hrf.export.c.library import compile_library, find_compiler
from speechbrain_hrf.export.c.source import make_sources
from speechbrain_hrf.export.examples import make_examples
from speechbrain_hrf.export.verify import VerificationError


class MyModel(SpeechFormer):
    """Computes something else, perhaps."""


REFUSED = [
    ("embedding_model", MyModel(), "embedding_model is MyModel"),
    ("embedding_model", SpeechFormer(), "segment_frames=None"),
    (
        "embedding_model",
        SpeechFormer(blocks_per_stage=[1, 1], segment_frames=500),
        r"blocks_per_stage=\[1, 1\]",
    ),
    (
        "embedding_model",
        SpeechFormer(activation=torch.nn.Tanh, segment_frames=500),
        r"activation is Tanh\(\), but C knows ReLU, SiLU, GELU, SquaredReLU",
    ),
    ("classifier", torch.nn.Linear(16, 4), "classifier is Linear"),
    ("classifier", ClassifierHead(16, 5), "5 outputs, but there are 4 labels"),
    (
        "classifier",
        ClassifierHead(16, 4, activation=lambda: torch.nn.GELU("tanh")),
        "activation is GELU",
    ),
    (
        "compute_features",
        Fbank(n_mels=26, deltas=True, n_fft=10000, win_length=625),
        "segment_frames=60, but .* n_fft=10000: .* 64 frames or more",
    ),
    ("compute_features", MFCC(), "compute_features is MFCC"),
    ("compute_features", Fbank(), "deltas=False"),
    ("compute_features", Fbank(deltas=True, context=True), "context=True"),
    (
        "mean_var_norm",
        InputNormalization(norm_type="sentence"),
        "norm_type='sentence'",
    ),
    ("mean_var_norm", torch.nn.Identity(), "mean_var_norm is Identity"),
]


@pytest.mark.parametrize(("key", "module", "message"), REFUSED)
def test_refused(key, module, message):
    with pytest.raises(ValueError, match=message):
        make_sources({**make_modules(), key: module}, LABELS)


@pytest.mark.parametrize("where", ["weight", "statistics"])
def test_nan_is_refused(where):
    modules = make_modules()
    if where == "weight":
        modules["embedding_model"].front_end.weight.data[0, 0] = torch.nan
        name = "front"
    else:
        modules["mean_var_norm"].glob_std[3] = torch.nan
        name = "feature_deviations"
    with pytest.raises(ValueError, match=f"{name} holds NaN"):
        make_sources(modules, LABELS)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("no-such-compiler -O1", "CC='no-such-compiler -O1'"),
        ("'", "CC="),
        ("", "cc, or what CC names"),
    ],
)
def test_without_a_compiler_it_says_that_nothing_was_verified(
    tmp_path, monkeypatch, named, says
):
    monkeypatch.setenv("CC", named)
    monkeypatch.setenv("PATH", "")
    definition = SimpleNamespace(sample_rate=8000)
    training = SimpleNamespace(labels=LABELS, definition=definition)
    said = files.write_c(tmp_path, training, make_modules())
    assert f"not verified, for there is no C compiler here ({says}" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hrf_model.c",
        "hrf_model.h",
    ]
    # Of the training, not of features that were not told.
    header = (tmp_path / "hrf_model.h").read_text()
    assert "#define HRF_SAMPLE_RATE 8000 " in header


@pytest.mark.skipif(os.name == "nt", reason="a script of the shell")
def test_a_compiler_for_another_machine(tmp_path):
    """What it makes cannot be loaded here."""
    cc = tmp_path / "arm-gcc"
    cc.write_text("#!/bin/sh\necho of a chip > a.so\n")
    cc.chmod(0o755)
    text = {"hrf_model.h": "", "a.c": ""}
    says = r"arm-gcc makes of a\.c does not run on .*: unset CC, or"
    with pytest.raises(ValueError, match=says):
        compile_library([str(cc)], text, "a.c", 4, tmp_path)


def test_a_compiler_with_arguments(compiler, tmp_path, monkeypatch):
    """As "ccache gcc"; and one whose path has a space."""
    cc = shlex.join(compiler)
    (tmp_path / "my tools").mkdir()
    spaced = tmp_path / "my tools" / "cc"
    spaced.symlink_to(sys.executable)
    for named, expected in (
        (str(spaced), []),
        (f"{cc} -DHRF_X='a b'", [*compiler[1:], "-DHRF_X=a b"]),
        (f"env -u HRF_X {cc}", ["-u", "HRF_X", *compiler]),
    ):
        monkeypatch.setenv("CC", named)
        found = find_compiler()
        assert os.path.isabs(found[0]) and found[1:] == expected
    text = {"hrf_model.h": "", "a.c": "int x;\n#error HRF_STOP\n"}
    with pytest.raises(ValueError, match=r"env -u .* refuses a\.c: .*HRF_STOP"):
        compile_library(found, text, "a.c", 4, tmp_path)


def test_a_difference_is_refused(compiled):
    """By name; and a batch or an empty signal is nothing to compare on."""
    found = compiled("ConvTransformer")
    other = make_modules("ConvTransformer")
    other["embedding_model"].front_end.conv2.bias.data += 0.01
    recordings = {"a.wav": torch.from_numpy(make_noise(4000) / 2.0**15).float()}
    examples = make_examples(recordings, 8000, 160)
    examples = [x for x in examples if x.name != "30 s"]
    differences = check(found.library, classifier_of(found.modules), examples)
    assert {"a.wav", "silence", "one sample", "5 s"} < differences.keys()
    assert "no sample" not in differences
    with pytest.raises(VerificationError, match=r"a\.wav \(.*report it"):
        check(found.library, classifier_of(other), examples[:2])


@pytest.mark.slow
def test_an_export_holds_it(training_output, tmp_path, compiler, capsys):
    """The command from a training's folder on, and what it prints."""
    output, target = training_output(norm_type="global"), tmp_path / "model"
    command = ["export", str(output), str(target)]
    assert cli.main([*command, "--c", "--int8"]) == 0
    said = capsys.readouterr().out
    text = (target / "hrf_model.c").read_text("utf-8")
    assert text.startswith("/* Conformer for C99, weights float32.")
    assert (target / "hrf_model.h").is_file()
    assert (target / "hrf_model_int8.c").is_file()
    sentence = "hrf_model.c: compiled here, it differs from SpeechBrain by"
    assert sentence in said
    assert "hrf_model_int8.c: 3 of 3 labels as with float32" in said
    assert sentence in (target / "README.md").read_text("utf-8")
    assert cli.main(["verify", str(target)]) == 0
    # Whoever exports again over it may: it is an export's.
    assert cli.main(command) == 0
    assert not (target / "hrf_model.c").exists()


def classifier_of(modules):
    """As the export loads it, of modules in memory."""
    return EncoderClassifier(
        modules,
        {"label_encoder": None},
        run_opts={"device": "cpu"},
    )
