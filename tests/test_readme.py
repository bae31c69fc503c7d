"""README's commands work as written.

The first two are run against stand-ins for python, pip and pytest that only
note how they were called; of the recipe commands it is checked that their files
and keys exist.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import subprocess
from pathlib import Path

import pytest
from readme_commands import bash_blocks, command_violations, recipe_commands

REPOSITORY = Path(__file__).resolve().parents[1]
ENDS = [
    "python recipes/IEMOCAP/train.py hparams/conformer_hrf.yaml",
    "pytest",
]
READMES = [REPOSITORY / "README.md"]
READMES += sorted(REPOSITORY.glob("recipes/*/README.md"))
READMES += sorted(REPOSITORY.glob("docs/*.md"))

# Stands for every program: notes the call, makes the folders that venv or git
# would make, fails where it is told to.
PROGRAM = """#!/bin/sh
case $0 in */outside/*) place=outside ;; *) place=venv ;; esac
echo "$place $(basename "$0") $*" >> "$CALLS"
if [ "$1 $2" = "-m venv" ]; then
    for last; do :; done
    mkdir -p "$last/bin"
    for name in python python3 pip pytest; do cp "$0" "$last/bin/$name"; done
    echo "PATH='$PWD/$last/bin':\\$PATH; export PATH" > "$last/bin/activate"
fi
if [ "$1" = clone ]; then
    for last; do :; done
    mkdir -p "$(basename "$last" .git)"
fi
case "$*" in *install*) exit "$PIP_STATUS" ;; esac
"""


def run_with_stand_ins(command, folder, pip_status=0):
    """Runs a README command in a folder and returns the calls it made."""
    outside = folder / "outside"
    outside.mkdir(exist_ok=True)
    for name in ("python", "python3", "pip", "pytest", "git"):
        (outside / name).write_text(PROGRAM)
        (outside / name).chmod(0o755)
    calls = folder / "calls"
    calls.write_text("")
    subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={
            "PATH": f"{outside}:{os.defpath}:/usr/bin:/bin",
            "CALLS": str(calls),
            "PIP_STATUS": str(pip_status),
        },
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    return calls.read_text().splitlines()


def first_run_violations(command, end, folder):
    """What is wrong with a command that sets up, installs and runs."""
    found = [] if command.endswith(end) else [f"does not end in {end}"]
    last = f"venv {end}".rstrip()
    fresh = [call.strip() for call in run_with_stand_ins(command, folder)]
    made = [call for call in fresh if "-m venv" in call]
    installed = [call for call in fresh if "install" in call]
    if len(made) != 1:
        found.append("does not make a virtual environment")
    if not installed or not all(call.startswith("venv") for call in installed):
        found.append("does not install into the virtual environment")
    if fresh[-1:] != [last]:
        found.append(f"does not run {end} in the virtual environment")
    again = run_with_stand_ins(command, folder)
    if any("-m venv" in call for call in again):
        found.append("makes a virtual environment though there is one")
    failing = run_with_stand_ins(command, folder, pip_status=1)
    if last in [call.strip() for call in failing]:
        found.append("goes on after a failed installation")
    return found


COMMAND = (
    "[ -d .venv ] || python3 -m venv .venv; . .venv/bin/activate "
    '&& pip install -e ".[test]" && pytest'
)


def test_a_good_first_command_passes(tmp_path):
    """Without this, the cases below would prove nothing."""
    assert first_run_violations(COMMAND, "pytest", tmp_path) == []


@pytest.mark.parametrize(
    "old, new, reported",
    [
        ("pytest", "pytest -x", "does not end in pytest"),
        ("[ -d .venv ] || ", "", "though there is one"),
        ("[ -d .venv ] || python3 -m venv .venv", ":", "does not make"),
        ('pip install -e ".[test]" && ', "", "does not install"),
        (". .venv/bin/activate", ":", "does not install into"),
        (" && pytest", "; pytest", "goes on after a failed"),
    ],
)
def test_a_bad_first_command_is_reported(tmp_path, old, new, reported):
    """One change to the good command, one promise broken."""
    assert old in COMMAND
    command = COMMAND.replace(old, new)
    found = first_run_violations(command, "pytest", tmp_path)
    assert any(reported in violation for violation in found), found


@pytest.mark.parametrize("number", [0, 1])
def test_the_first_two_commands(tmp_path, number):
    """README begins with a training run and with the tests."""
    blocks = bash_blocks((REPOSITORY / "README.md").read_text("utf-8"))
    assert len(blocks) >= 2, "README.md needs two fenced bash blocks"
    command, end = blocks[number], ENDS[number]
    assert first_run_violations(command, end, tmp_path) == []


TOY_README = """
Train with `python recipes/TOY/train.py hparams/<model>.yaml --lr 1`.

```bash
cd recipes/TOY && python train.py hparams/a.yaml --lr=1 --device cpu
torchrun --nproc_per_node 2 recipes/TOY/train.py hparams/{a,b}.yaml \\
    --modules "[A & B]" --distributed_backend=gloo > log  # --free text
```

| arm | options |
|---|---|
| large | `--lr 3 --modules "[]"` |
"""


@pytest.fixture()
def toy(tmp_path):
    """A repository with a recipe and a README of good commands."""
    (tmp_path / "recipes/TOY/hparams").mkdir(parents=True)
    (tmp_path / "recipes/TOY/train.py").touch()
    for name in "ab":
        path = tmp_path / f"recipes/TOY/hparams/{name}.yaml"
        path.write_text("lr: 1\nmodules: []\n")
    (tmp_path / "README.md").write_text(TOY_README)
    return tmp_path


def test_commands_are_found(toy):
    """All three commands, with the folder that a cd has entered."""
    assert [script for script, _, _ in recipe_commands(TOY_README)] == [
        "recipes/TOY/train.py"
    ] * 3
    assert command_violations(toy / "README.md", toy) == []


def test_commands_beside_their_script_are_found(toy):
    """In a recipe's own README the script is named without its folder."""
    readme = toy / "recipes/TOY/README.md"
    readme.write_text("`python train.py hparams/a.yaml --lr 2`")
    assert command_violations(readme, toy) == []


@pytest.mark.parametrize(
    "old, new, reported",
    [
        ("TOY/train.py hparams/<", "TAY/train.py hparams/<", "no such script"),
        ("cd recipes/TOY && ", "", "no such script"),
        ("hparams/a.yaml", "hparams/c.yaml", "no such YAML file"),
        ("hparams/<model>", "hparams/<model>_hrf", "no such YAML file"),
        ("{a,b}", "{a,c}", "no such YAML file"),
        ("--lr=1", "--rate=1", "no key 'rate'"),
        ("--device cpu", "--divice cpu", "no key 'divice'"),
        ("    --modules", "    --blocks", "no key 'blocks'"),
        ("`--lr 3", "`--rate 3", "no recipe has a key for --rate"),
    ],
)
def test_a_command_that_cannot_work_is_reported(toy, old, new, reported):
    """One change to the good commands, one of them broken."""
    assert old in TOY_README
    (toy / "README.md").write_text(TOY_README.replace(old, new))
    found = command_violations(toy / "README.md", toy)
    assert any(reported in violation for violation in found), found


@pytest.mark.parametrize(
    "readme", READMES, ids=lambda p: p.relative_to(REPOSITORY).as_posix()
)
def test_recipe_commands_name_files_and_keys_that_exist(readme):
    """README files cannot drift from the recipes."""
    assert command_violations(readme, REPOSITORY) == []
