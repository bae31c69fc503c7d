"""What the tests of ensembles share.

Authors
 * The speechbrain_hrf authors 2026
"""

import shutil

import pytest
import torch
from ensemble_runs import SCRIPT

from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.training.ensemble.recipe import load_recipe


@pytest.fixture(scope="session")
def corpus(corpora, tmp_path_factory):
    """Half of the stand-in, a few files short, so that folds differ in size."""
    folder = tmp_path_factory.mktemp("ensemble_corpus")
    whole = make_corpus("RAVDESS", corpora)
    root = shutil.copytree(whole, folder / whole.name)
    for actor in root.glob("Actor_*"):
        files = sorted(actor.glob("*.wav"))
        for path in files[1::2] + files[:6:2] * (actor.name == "Actor_01"):
            path.unlink()
    return folder


@pytest.fixture(scope="session")
def recipe():
    """recipes/RAVDESS/train.py as a module."""
    return load_recipe(SCRIPT)


@pytest.fixture
def one_thread():
    """Sums in one order, so that two runs give the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


RECIPE = """\
data_folder: synthetic
corpus: RAVDESS
number_of_epochs: 120
arm: hrf
hrf_modules: [FFN1]
activation: !name:torch.nn.ReLU
opt_class: !name:torch.optim.AdamW
    lr: 0.001
output_folder: !ref results/<corpus>/<arm>
save_folder: !ref <output_folder>/save
"""


@pytest.fixture
def recipe_folder(tmp_path):
    """A recipe's folder with one YAML."""
    (tmp_path / "recipe" / "hparams").mkdir(parents=True)
    (tmp_path / "recipe" / "hparams" / "model.yaml").write_text(RECIPE)
    return tmp_path / "recipe"
