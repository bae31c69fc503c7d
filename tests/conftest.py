"""What all tests share: where the data lies, how many threads are used.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import os
import signal
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]
collect_ignore = ["mutation.py"]  # a command, not a test
# Fixtures, not tests; two that are named alike cannot be collected below each other.
collect_ignore_glob = ["*conftest.py"]

# Figures are drawn to files; a machine without a display must not matter.
os.environ.setdefault("MPLBACKEND", "Agg")

# A shell's background jobs ignore Ctrl-C, as would all that tests start there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The models are tiny: more threads than this only wait for each other.
torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(scope="session")
def repository():
    """The folder that holds setup.py, recipes and tests."""
    return REPOSITORY


@pytest.fixture
def short_files():
    """A context in which no file gets longer than so many bytes.

    The system refuses the rest, as on a full disk.
    """
    resource = pytest.importorskip(
        "resource", reason="a limit for files is POSIX's"
    )

    @contextlib.contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture(scope="session")
def ravdess_folder():
    """Real emotional speech, or a skip that says how to provide it.

    Looked for in the folder that RAVDESS_FOLDER names, else beside the
    repository.
    """
    beside = REPOSITORY.parent / "shared" / "data" / "ravdess"
    folder = Path(os.environ.get("RAVDESS_FOLDER", beside))
    if not (folder / "Actor_01").is_dir():
        pytest.skip(
            f"no RAVDESS in {folder} (it has no Actor_01): download "
            "zenodo.org/records/1188976 and set RAVDESS_FOLDER to its folder"
        )
    return folder


@pytest.fixture(scope="session")
def nemo_folder():
    """Real emotional speech in Polish, or a skip that says how to provide it.

    Looked for in the folder that NEMO_FOLDER names, else beside the
    repository. Half of the corpus (odd sentence numbers) is enough.
    """
    beside = REPOSITORY.parent / "shared" / "data" / "nemo"
    folder = Path(os.environ.get("NEMO_FOLDER", beside))
    if not (folder / "data.tsv").is_file():
        pytest.skip(
            f"no nEMO in {folder} (it has no data.tsv): download "
            "github.com/amu-cai/nEMO and set NEMO_FOLDER to its folder"
        )
    return folder


@pytest.fixture(scope="session")
def hubert_folder(tmp_path_factory):
    """A HuBERT of random weights; its convolutions step as the real one's."""
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed"
    )
    folder = tmp_path_factory.mktemp("hubert")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = transformers.HubertConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=[8] * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2,
        )
        transformers.HubertModel(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(
        folder
    )
    return folder
