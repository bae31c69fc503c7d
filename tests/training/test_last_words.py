"""The last line of a run names what is full, and nothing else is blamed."""

import collections
import errno
import shutil

import pytest

from speechbrain_hrf.training.last_words import find_last_words

FULL = OSError(errno.ENOSPC, "No space left on device")
Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture
def full(tmp_path, short_files):
    """A folder in which no file may grow."""
    with short_files(1000):
        yield tmp_path


def test_an_error_that_names_nothing_gets_the_folder(full):
    said = find_last_words(FULL, full)
    assert said.startswith(
        f"OSError: {full} cannot be written (File too large)"
    )
    assert "start the run again" in said


def test_a_sentence_is_said_again(full):
    # Since SpeechBrain's logger has complained about log.txt behind it.
    said = "run/save cannot be written: make room."
    assert find_last_words(OSError(said), full) == f"OSError: {said}"


@pytest.mark.parametrize(
    "error",
    [
        *(None, ValueError("x"), KeyboardInterrupt()),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "a.wav"),
    ],
)
def test_other_errors_are_not_the_disk_s(full, error):
    assert find_last_words(error, full) is None


@pytest.mark.parametrize(
    "free, error, named",
    [
        (0, FULL, True),
        (2**30, FULL, False),
        (0, OSError(errno.ENOSPC, "No space left on device", "a.f32"), False),
    ],
)
def test_full_shared_memory_is_named(tmp_path, monkeypatch, free, error, named):
    usage = Usage(2**26, 2**26 - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    said = find_last_words(error, tmp_path)
    assert bool(said) == named
    if said:
        assert "/dev/shm (64 MB) is full" in said
        assert "--num_workers 0" in said
