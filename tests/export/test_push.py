"""hrf push: the real client, a Hub on this machine.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from hub_server import READS, WRITES, Hub, Model
from huggingface_hub import constants
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.inference.interfaces import foreign_class
from speechbrain.utils.fetching import FetchConfig

from speechbrain_hrf.export.push import main
from speechbrain_hrf.runtime.checksums import find_faults

ON_CPU = {"device": "cpu"}
WAVS = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model(by_licence, tmp_path):
    """An export that anyone may share."""
    return shutil.copytree(by_licence["CC BY-NC-SA 4.0"], tmp_path / "model")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub where this process is logged in."""
    with Hub() as hub:
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in {
            "ENDPOINT": hub.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_TOKEN_PATH": str(tmp_path / "no_token"),
            "HF_HUB_DISABLE_XET": True,
        }.items():
            monkeypatch.setattr(constants, name, value, raising=False)
        monkeypatch.setenv("HF_TOKEN", WRITES)
        yield hub


def refusal(capsys, *arguments):
    """The one sentence that a refused push prints."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ") and printed.err.count("\n") == 1
    return printed.err.removeprefix("Error: ")


def test_what_was_pushed_loads_by_its_name(model, hub, capsys, tmp_path):
    """By what is printed, and gives the same log-probabilities."""
    assert main([str(model), "me/emotions"]) == 0
    printed = capsys.readouterr().out
    assert f"Pushed to {hub.url}/me/emotions\n" in printed
    assert 'EncoderClassifier.from_hparams(source="me/emotions")' in printed
    assert not hub.models["me/emotions"].private
    expected, found = (
        EncoderClassifier.from_hparams(source=source, run_opts=ON_CPU)
        for source in (str(model), "me/emotions")
    )
    assert torch.equal(
        found.classify_batch(WAVS)[0], expected.classify_batch(WAVS)[0]
    )
    files = hub.models["me/emotions"].files
    assert set(files) == {path.name for path in model.iterdir()}
    card = files["README.md"].decode()
    assert card.count('source="me/emotions"') == 2
    # Who downloads the folder can verify it, and nothing here has changed.
    copy = tmp_path / "downloaded"
    copy.mkdir()
    for name, content in files.items():
        (copy / name).write_bytes(content)
    assert find_faults(copy) == find_faults(model) == []


def test_what_tools_leave_is_passed_over(model, hub, capsys):
    """As hrf verify does; and it is not sent."""
    names = {path.name for path in model.iterdir()}
    (model / ".DS_Store").touch()
    (model / ".cache").mkdir()
    assert main([str(model), "me/emotions"]) == 0
    assert set(hub.models["me/emotions"].files) == names


def test_private_is_not_for_everybody(model, hub, capsys):
    """And what is printed says what it takes to load it."""
    assert main([str(model), "team/emotions", "--private"]) == 0
    assert "FetchConfig(\ntoken=True)" in capsys.readouterr().out
    assert hub.models["team/emotions"].private
    source = {"source": "team/emotions", "run_opts": ON_CPU}
    with pytest.raises(Exception, match="401"):
        EncoderClassifier.from_hparams(**source)
    module = next(model.glob("hrf_*.py")).name
    classifier = foreign_class(
        **source,
        hparams_file="hyperparams_standalone.yaml",
        pymodule_file=module,
        classname="BundledEncoderClassifier",
        fetch_config=FetchConfig(token=True),
    )
    assert classifier.classify_batch(WAVS)[0].shape == (2, 4)


def test_a_second_push_leaves_no_file_of_the_first(model, hub, capsys):
    there = Model(files={"model.onnx": b"old", ".gitattributes": b""})
    hub.models["me/emotions"] = there
    assert main([str(model), "me/emotions"]) == 0
    names = {path.name for path in model.iterdir()}
    assert set(there.files) == {*names, ".gitattributes"}
    assert len(there.commits) == 1


def test_what_is_there_by_that_name_is_respected(model, hub, capsys):
    hub.models["me/thesis"] = Model(files={"thesis.tex": b"years of work"})
    assert "holds thesis.tex, which no export has written" in refusal(
        capsys, model, "me/thesis"
    )
    hub.models["me/shown"] = Model()
    assert "is on the Hub already, and public" in refusal(
        capsys, model, "me/shown", "--private"
    )
    assert list(hub.models["me/thesis"].files) == ["thesis.tex"]
    assert not hub.models["me/shown"].files


def test_dry_run_says_all_and_asks_nobody(model, hub, capsys, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    assert main([str(model), "me/emotions", "--dry_run"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Nothing is sent. To me/emotions would go:\n")
    for path in model.iterdir():
        assert f"  {path.name} " in printed
    size = f"{(model / 'classifier.ckpt').stat().st_size:,} bytes\n"
    assert size in printed
    assert "  license: cc-by-nc-sa-4.0\n" in printed
    assert 'from_hparams(source="me/emotions")' in printed
    assert hub.asked == []


def test_licensed_data_need_a_word(by_licence, hub, capsys):
    """Also for a dry run; generated data do not (see test_card.py)."""
    folder = by_licence["licensed by USC"]
    for options in ([], ["--private"], ["--dry_run"]):
        said = refusal(capsys, folder, "me/emotions", *options)
        assert "The card says: licensed by USC." in said
        assert "add --yes_i_may" in said
    assert hub.asked == []
    assert main([str(folder), "me/emotions", "--yes_i_may"]) == 0
    assert "license_name: licensed-by-usc" in (
        hub.models["me/emotions"].files["README.md"].decode()
    )


@pytest.mark.parametrize(
    "name, says",
    [
        ("speech.wav", "it holds speech.wav, which no export has written"),
        ("test.json", "it holds test.json, which no export has written"),
        ("save", "it holds save, which no export has written"),
        ("optimizer.ckpt", "optimizer.ckpt is in the folder, though no export"),
    ],
)
def test_only_what_an_export_has_written(model, hub, capsys, name, says):
    (model / name).write_bytes(b"mine")
    assert says in refusal(capsys, model, "me/emotions")
    assert hub.asked == []


def test_what_verify_refuses(model, hub, capsys):
    (model / "classifier.ckpt").write_bytes(b"damaged")
    (model / "README.md").unlink()
    said = refusal(capsys, model, "me/emotions")
    assert "README.md is missing" in said and said.endswith("(1 more)\n")
    (model / "manifest.json").unlink()
    assert "and so no checksums" in refusal(capsys, model, "me/emotions")
    output = model.parent / "nowhere"
    assert "There is no folder" in refusal(capsys, output, "me/emotions")
    assert hub.asked == []


@pytest.mark.parametrize(
    "name, says",
    [
        ("emotions", "emotions is not owner/name"),
        ("https://huggingface.co/me/emotions", "is not owner/name"),
        ("me/", "is no name of a model"),
        ("me/emo tions", "is no name of a model"),
        ("nobody/emotions", "is nobody you, or an organisation of yours"),
    ],
)
def test_names(model, hub, capsys, name, says):
    assert says in refusal(capsys, model, name)
    assert not hub.models


@pytest.mark.parametrize(
    "token, says",
    [
        (None, "You are not logged in to the Hugging Face Hub: run hf auth"),
        ("hf_wrong", "does not accept your token"),
        (READS, "may your token write?"),
    ],
)
def test_tokens(model, hub, capsys, monkeypatch, token, says):
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    assert says in refusal(capsys, model, "me/emotions")
    assert not hub.models


def test_no_network(model, hub, capsys, monkeypatch):
    hub.server.server_close()
    said = refusal(capsys, model, "me/emotions")
    assert f"The Hugging Face Hub ({hub.url}) cannot be reached" in said


@pytest.mark.slow  # a process of its own
def test_as_a_command(model, hub, tmp_path):
    """Where HF_ENDPOINT and HF_TOKEN say, as its documentation has it."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": WRITES,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }
    command = ["-m", "speechbrain_hrf.export.push", str(model), "me/emotions"]
    process = subprocess.run(
        [sys.executable, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'from_hparams(source="me/emotions")' in process.stdout
    assert len(hub.models["me/emotions"].files) == len(list(model.iterdir()))
