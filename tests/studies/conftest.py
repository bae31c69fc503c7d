"""What the tests of studies share: one small corpus, one small study.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

import pytest

from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.studies import statistics

STUDY = """
name: small
output_folder: {folder}
recipe: RAVDESS
data_folder: {corpus}
models: [speechformer]
modules: [Lightweight, FFN2]
folds: [1]
seeds: [1, 2]
overrides: {{protocol: held_out, number_of_epochs: 1}}
"""


# The command ``hrf``, whether or not that is installed.
CODE = "import sys; from speechbrain_hrf.cli import main; sys.exit(main())"


@pytest.fixture
def hrf():
    """What to start as a process of its own, before the arguments."""
    return [sys.executable, "-c", CODE]


@pytest.fixture(scope="module")
def few_resamples():
    """Bootstraps that take less time; for other things than their digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 199)
        yield


@pytest.fixture(scope="session")
def corpus(corpora):
    """The stand-in of RAVDESS."""
    return make_corpus("RAVDESS", corpora)


@pytest.fixture
def study_yaml(tmp_path):
    """The YAML of a study of four trials, on data that are not there."""
    return _write(tmp_path, tmp_path / "no_corpus")


@pytest.fixture
def real_study_yaml(tmp_path, corpus):
    """The same on the stand-in corpus: each trial trains for an epoch."""
    return _write(tmp_path, corpus)


def _write(tmp_path, corpus):
    path = tmp_path / "small.yaml"
    path.write_text(STUDY.format(folder=tmp_path / "study", corpus=corpus))
    return path
