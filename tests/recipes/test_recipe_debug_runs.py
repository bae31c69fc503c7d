"""Each row of tests/recipes/*.csv runs and leaves what it promises.

As upstream's recipe tests do: train.py is started with the row's debug flags
and an output folder, and the row's checks are evaluated there. The recipe's
folder is copied first, so a recipe that needs a file from elsewhere in the
repository fails; the rows take turns in the three ways of starting a recipe.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recipe_csv import failed_checks, read_rows

REPOSITORY = Path(__file__).resolve().parents[2]
ROWS = [
    row
    for path in sorted((REPOSITORY / "tests" / "recipes").glob("*.csv"))
    for row in read_rows(path)
]
# (current folder, how the YAML file is named), the former below the copy
WAYS = [
    ("recipes/{Dataset}", "hparams"),
    (".", "hparams"),
    (".", "recipes/{Dataset}/hparams"),
]
CASES = [
    pytest.param(
        row,
        *WAYS[number % len(WAYS)],
        id=Path(row["Hparam_file"]).stem + "-" + row["Dataset"],
    )
    for number, row in enumerate(ROWS)
]
# Ten times what the slowest row takes on two cores; a run that hangs must not
# hold up the others for ever.
PATIENCE_IN_SECONDS = 900


@pytest.mark.slow
@pytest.mark.parametrize("row, folder, hparams", CASES)
def test_debug_run(row, folder, hparams, tmp_path):
    """One short run of one YAML file, in one of the ways to start it."""
    recipe = tmp_path / "recipes" / row["Dataset"]
    shutil.copytree(
        REPOSITORY / "recipes" / row["Dataset"],
        recipe,
        ignore=shutil.ignore_patterns("results", "__pycache__"),
    )
    current = tmp_path / folder.format(**row)
    script = os.path.relpath(tmp_path / row["Script_file"], current)
    yaml_name = Path(row["Hparam_file"]).name
    output = tmp_path / "output"
    done = subprocess.run(
        [
            sys.executable,
            script,
            f"{hparams.format(**row)}/{yaml_name}",
            f"--output_folder={output}",
            *shlex.split(row["test_debug_flags"]),
        ],
        cwd=current,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_IN_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    failed = failed_checks(row["test_debug_checks"], output)
    assert failed == [], done.stdout[-4000:]
