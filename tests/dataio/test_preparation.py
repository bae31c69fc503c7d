"""Options of the wrong kind are refused; messages name what differs.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_number,
    check_share,
    list_some,
    make_entry,
    warn_of_other_counts,
)


def test_lists_are_shortened():
    assert list_some([]) == ""
    assert list_some(list(range(10))).endswith("8, 9")
    assert list_some(list(range(12))).endswith("8, 9 and 2 more")
    assert len(list_some(["x" * 10**7] * 12)) < 4000


def test_differing_counts(caplog):
    paper = {"train": {"sad": 3, "angry": 4}, "test": {"sad": 1}}
    warn_of_other_counts("X", "8 files", paper, paper)
    assert not caplog.records
    found = {"train": {"sad": 3, "angry": 5, "other": 9}}
    warn_of_other_counts("X", "8 files", found, paper)
    assert caplog.messages == [
        "X: the counts are not the paper's, 8 files: train angry 5 (paper 4), "
        "test sad 0 (paper 1). Results will not compare with the paper's."
    ]


@pytest.mark.parametrize("folder", ["", "below/it"])
def test_paths_start_at_the_data_folder(tmp_path, folder):
    path = tmp_path / folder / "a.wav"
    entry = make_entry(str(path), tmp_path, 0.5, speaker="01")
    wav = "/".join(["{data_root}", *filter(None, [folder]), "a.wav"])
    assert entry == {"wav": wav, "duration": 0.5, "speaker": "01"}


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_shares(value):
    check_share(value)


@pytest.mark.parametrize(
    "value", [-0.1, 1.1, float("nan"), "0.1", None, True, False, [0.1]]
)
def test_no_shares(value):
    with pytest.raises(ValueError, match="max_unusable is a share, a number"):
        check_share(value)


@pytest.mark.parametrize("value", [0, 6, 1.0, True, "1", None, [1]])
def test_no_numbers(value):
    check_number("fold", 1, 5)
    check_number("fold", 5, 5)
    with pytest.raises(ValueError, match="fold is a whole number, 1 to 5, not"):
        check_number("fold", value, 5)


@pytest.mark.parametrize("value", ["c", None, ["a"], "", 0])
def test_no_choices(value):
    check_choice("protocol", "a", {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="protocol is one of a, b, not"):
        check_choice("protocol", value, {"a": 1, "b": 2})
