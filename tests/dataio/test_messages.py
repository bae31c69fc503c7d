"""Long lists are shortened, differing counts are all named.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.dataio.messages import found_in, other_counts, shown


def test_lists_are_shortened():
    assert shown([]) == ""
    assert shown(list(range(10))).endswith("8, 9")
    assert shown(list(range(12))).endswith("8, 9 and 2 more")


def test_what_is_there_is_named(tmp_path):
    assert found_in(tmp_path) == "Found: an empty folder"
    for number in range(12):
        (tmp_path / f"{number:02d}").mkdir()
    assert found_in(tmp_path).startswith("Found: 00, 01, ")
    assert found_in(tmp_path).endswith("09 and 2 more")


def test_differing_counts():
    paper = {"train": {"sad": 3, "angry": 4}, "test": {"sad": 1}}
    assert other_counts(paper, paper) == []
    found = {"train": {"sad": 3, "angry": 5, "other": 9}}
    assert other_counts(found, paper) == [
        "train angry 5 (paper 4)",
        "test sad 0 (paper 1)",
    ]
