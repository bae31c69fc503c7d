"""The command hrf leads to each command, and says what there is."""

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


def test_it_starts_without_torch():
    code = "import sys, speechbrain_hrf.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.stdout.strip() == b"False"
