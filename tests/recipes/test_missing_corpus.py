"""Whoever names a wrong folder reads where the corpus is and how it looks.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from preparers import load_preparer

# Where to get it, and a name that every copy of it holds.
CORPORA = {
    "IEMOCAP": ("https://sail.usc.edu/iemocap", "Session1 ... Session5"),
    "M3ED": ("https://github.com/AIM3-RUC/RUCM3ED", "annotation.json"),
    "DAIC-WOZ": ("https://dcapswoz.ict.usc.edu", "300_P/300_AUDIO.wav"),
    "RAVDESS": ("https://zenodo.org/records/1188976", "Actor_01 ... Actor_24"),
    "nEMO": ("https://github.com/amu-cai/nEMO", "EB0_anger_1.wav"),
    "OwnData": ("--labels my.csv", "path,label,speaker"),
}


@pytest.mark.parametrize("corpus", CORPORA)
def test_wrong_folder(tmp_path, corpus):
    """One that is not there, one that is empty, one with something else."""
    name = corpus.lower().replace("-", "_")
    prepare = getattr(load_preparer(corpus), f"prepare_{name}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "holiday.mp4").write_bytes(b"")
    for folder, says in [
        ("nowhere", f"No folder {tmp_path / 'nowhere'}. "),
        ("empty", "Found: an empty folder"),
        ("other", "Found: holiday.mp4"),
    ]:
        with pytest.raises(FileNotFoundError) as error:
            prepare(str(tmp_path / folder), str(tmp_path / "manifests"))
        for part in (says, "Expected: ", *CORPORA[corpus]):
            assert part in str(error.value)
    assert not (tmp_path / "manifests").exists()
