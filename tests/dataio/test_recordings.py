"""Recordings are found by their names; nobody is in two splits of a fold.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from speechbrain_hrf.dataio.recordings import (
    find_recordings,
    refuse_folder,
    split_folds,
)

FOLDS = [["a", "b"], ["c"], ["d", "e"]]


def find(folder, depth=2):
    kinds = {"good": True, "fine": True, "song": False}
    return find_recordings("X", folder, kinds.get, "good", "Expected", depth)


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def test_what_is_wanted_is_found_and_nothing_said(tmp_path, caplog):
    fill(tmp_path, "b/good.wav", "a/fine.FLAC", "song.wav", "good.txt")
    fill(tmp_path, "._good.wav", "LICENSE")
    assert find(tmp_path) == {
        "fine": str(tmp_path / "a" / "fine.FLAC"),
        "good": str(tmp_path / "b" / "good.wav"),
    }
    assert list(find(tmp_path)) == ["fine", "good"]
    assert not caplog.records


def test_other_names_and_copies_are_listed(tmp_path, caplog):
    fill(tmp_path, "a/good.wav", "b/good.wav", "b/notes.wav", "b/x.flac")
    fill(tmp_path, "a/song.wav", "b/song.wav")  # not wanted: no copies either
    assert find(tmp_path) == {"good": str(tmp_path / "a" / "good.wav")}
    assert caplog.messages == [
        "X: audio files left out, their names are not of the form good: 2 "
        "(b/notes.wav, b/x.flac)",
        "X: copies left out, by their names: 1 (b/good.wav)",
    ]


def test_the_search_goes_down_so_many_folders(tmp_path):
    fill(tmp_path, "1/2/good.wav")
    assert list(find(tmp_path, depth=2)) == ["good"]
    with pytest.raises(FileNotFoundError):
        find(tmp_path, depth=1)


def test_a_folder_without_any_is_explained(tmp_path):
    def said(folder):
        with pytest.raises(FileNotFoundError) as caught:
            find(folder)
        return str(caught.value)

    nowhere = tmp_path / "nowhere"
    assert said(nowhere) == f"No folder {nowhere}. Expected"
    expected = f"{tmp_path} holds no recording of X. Expected. Found: "
    assert said(tmp_path) == expected + "an empty folder"
    (tmp_path / "Session1").mkdir()
    assert said(tmp_path) == expected + "Session1"
    with pytest.raises(FileNotFoundError, match="^/.* is odd. Layout. Found: "):
        refuse_folder(tmp_path, "is odd", "Layout")


@pytest.mark.parametrize(
    "fold, valid, train", [(1, 2, "de"), (2, 3, "ab"), (3, 1, "c")]
)
def test_folds(fold, valid, train):
    """Each tests once; the next one validates, after the last the first."""
    test = FOLDS[fold - 1]
    held_out = split_folds(FOLDS, fold, "held_out")
    assert list(held_out) == ["train", "valid", "test"]
    assert held_out == {
        "train": list(train),
        "valid": FOLDS[valid - 1],
        "test": test,
    }
    paper = split_folds(FOLDS, fold, "paper")
    assert paper == {
        "train": [who for who in "abcde" if who not in test],
        "test": test,
    }
    assert FOLDS == [["a", "b"], ["c"], ["d", "e"]]  # left as they were


def test_somebody_must_be_left_to_train_on():
    assert split_folds([["a"], ["b"]], 1, "paper")["train"] == ["b"]
    with pytest.raises(ValueError, match="Of 2 folds none .* at least 3"):
        split_folds([["a"], ["b"]], 1, "held_out")
