"""One run at a time writes to an output folder, and says why it cannot."""

import multiprocessing
import re
import shutil
import signal

import pytest
import torch

from speechbrain_hrf.training.checkpoints import AtomicCheckpointer
from speechbrain_hrf.training.output_folder import (
    NAME,
    explain_lost_output,
    own_until_exit,
    owned_output,
)


def _hold(folder, held):
    own_until_exit(folder)
    held.set()
    signal.pause()


@pytest.fixture
def other_run(tmp_path):
    """A process that holds the folder."""
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, held))
    process.start()
    assert held.wait(60)
    yield process
    process.kill()
    process.join()


def test_the_second_is_refused_and_a_kill_frees(
    tmp_path, other_run, monkeypatch
):
    said = f"process {other_run.pid} on .*, since 20.*its own --output_folder"
    with pytest.raises(ValueError, match=said):
        own_until_exit(tmp_path)
    monkeypatch.setenv("RANK", "1")
    own_until_exit(tmp_path)  # the main process holds it for this one
    other_run.kill()
    other_run.join()
    assert (tmp_path / NAME).exists()
    with owned_output(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_owner_s_files_stay(tmp_path):
    """The folder goes while it is held; what comes then is another's."""
    folder = tmp_path / "run"
    with owned_output(folder):
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / NAME).write_text("{}")
        (folder / f"{NAME}.lock").write_text("")
        with pytest.raises(FileNotFoundError, match="run is gone"):
            with explain_lost_output(folder):
                raise AssertionError("nothing is written there")
    assert len(list(folder.iterdir())) == 2


def test_a_removed_folder_is_not_made_anew(tmp_path):
    saver = AtomicCheckpointer(tmp_path / "save", {"a": torch.nn.Linear(2, 1)})
    shutil.rmtree(tmp_path / "save")
    with pytest.raises(FileNotFoundError, match="save is gone: it was removed"):
        saver.save_checkpoint()
    assert not (tmp_path / "save").exists()


def test_a_checkpoint_that_does_not_fit(tmp_path, short_files):
    """The disk's own reason, not that of PyTorch's writer."""
    model = torch.nn.Linear(200, 200)
    saver = AtomicCheckpointer(tmp_path / "save", {"a": model})
    good = saver.save_checkpoint()
    full = pytest.raises(OSError, match="cannot be written .File too large")
    with short_files(9000), full:
        saver.save_checkpoint()
    assert saver.recover_if_possible().path == good.path


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    said = re.escape(f"{tmp_path}/file/run cannot be written")
    with pytest.raises(OSError, match=f"{said}.*--output_folder"):
        own_until_exit(tmp_path / "file" / "run")
