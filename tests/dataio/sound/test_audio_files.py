"""Audio files are found in a fixed order, and what is none is passed over.

Authors
 * The speechbrain_hrf authors 2026
"""

import os

import pytest

from speechbrain_hrf.dataio.sound.audio_files import find_audio


def found(folder, **options):
    return [
        os.path.relpath(path, folder).replace(os.sep, "/")
        for path in find_audio(str(folder), **options)
    ]


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_what_counts_and_in_which_order(tmp_path):
    touch(tmp_path, "b/2.wav", "b/10.WAV", "a/c/1.wav", "0.flac")
    touch(tmp_path, "b/._2.wav", ".cache/3.wav", "b/wav", "b/2.wav.txt")
    assert found(tmp_path) == ["a/c/1.wav", "b/10.WAV", "b/2.wav"]
    assert found(tmp_path, extensions=(".flac",)) == ["0.flac"]
    assert len(found(tmp_path, extensions=(".flac", ".wav"))) == 4


def test_how_deep(tmp_path):
    touch(tmp_path, "1.wav", "a/2.wav", "a/b/3.wav", "a/b/c/4.wav")
    names = ["1.wav", "a/2.wav", "a/b/3.wav", "a/b/c/4.wav"]
    for depth in range(4):
        assert found(tmp_path, depth=depth) == names[: depth + 1]
    assert found(tmp_path) == names


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "data/a/1.wav", "store/2.wav")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "store")
    (tmp_path / "data" / "back").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "z").symlink_to(tmp_path / "data" / "a")
    assert found(tmp_path / "data") == ["a/1.wav", "b/2.wav"]


def test_an_empty_folder(tmp_path):
    assert found(tmp_path) == []


def test_a_folder_that_cannot_be_read(tmp_path):
    """It is not passed over in silence; one that is missing is empty."""
    assert find_audio(tmp_path / "nowhere") == []
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        find_audio(loop)
    errors = []
    assert find_audio(loop, on_error=errors.append) == []
    assert errors[0].filename == str(loop)
