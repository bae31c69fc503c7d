"""The command hrf leads to each command, and says what there is."""

import os
import subprocess
import sys

import pytest

from speechbrain_hrf.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_calls_itself_by_its_name(name, capsys):
    """Not by that of the module that it lies in."""
    with pytest.raises(SystemExit) as ended:
        main([name])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"usage: hrf {name} ")
    assert f"hrf {name}: error: the following arguments are required" in error


def test_no_command_lists_them_and_another_one_is_refused(capsys):
    assert main([]) == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())
    assert main(["etude"]) == 2
    assert "no command 'etude'" in capsys.readouterr().err


def test_a_package_that_is_not_installed(monkeypatch, capsys):
    """As after pip install --no-deps."""
    monkeypatch.delitem(sys.modules, "speechbrain_hrf.export.push", False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["push"]) == 2
    assert capsys.readouterr().err == (
        "hrf push needs huggingface_hub, which is not installed: pip install "
        "speechbrain-hrf\n"
    )


def test_in_a_folder_that_is_gone(monkeypatch, capsys):
    def gone():
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", gone)
    assert main(["verify", "/model"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("The current folder is gone")
    assert said.count("\n") == 1


def test_it_starts_without_torch():
    code = "import sys, speechbrain_hrf.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.stdout.strip() == b"False"
