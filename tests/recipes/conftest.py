"""What the tests of the recipes share.

Authors
 * The speechbrain_hrf authors 2026
"""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture(autouse=True)
def log_everything(caplog):
    """Preparers say much that is no warning."""
    caplog.set_level(logging.INFO)


def _command(
    output_folder, *options, corpus="RAVDESS", model="speechformer", epochs=1
):
    return [
        *(sys.executable, str(RECIPES / corpus / "train.py")),
        *(f"hparams/{model}_hrf.yaml", "--output_folder", str(output_folder)),
        *("--number_of_epochs", str(epochs), "--device", "cpu"),
        *("--noprogressbar", *options),
    ]


def _run(output_folder, *options, status=0, **recipe):
    done = subprocess.run(
        _command(output_folder, *options, **recipe),
        cwd=Path(output_folder).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == status, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="session")
def recipe_command():
    """The command of a recipe's run, as a user gives it.

    Takes the output folder, whose parent is to be the current folder, further
    options, `corpus` and `model`, which choose the YAML, and `epochs`.
    """
    return _command


@pytest.fixture(scope="session")
def run_recipe():
    """Runs that command, expects its exit status, returns what it said."""
    return _run


@pytest.fixture(scope="session")
def final_weights():
    """Reads what a run's newest checkpoint holds of the model.

    Takes the output folder and gives file and key -> value.
    """

    def read(output_folder):
        # The newest: the held-out protocol keeps the best one besides.
        checkpoint = max((Path(output_folder) / "save").glob("CKPT*"))
        return {
            f"{name}, {key}": value
            for name in ("embedding_model", "classifier", "mean_var_norm")
            for key, value in torch.load(checkpoint / f"{name}.ckpt").items()
        }

    return read


@pytest.fixture(scope="session")
def assert_same():
    """Compares two runs' weights, bit by bit."""

    def compare(found, expected):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            if torch.is_tensor(value):
                assert torch.equal(found[key], value), key
            else:
                assert found[key] == value, key

    return compare
