"""Checkouts of SpeechBrain to assemble change sets in.

Authors
 * The speechbrain_hrf authors 2026
"""

import shutil

import pytest
from contrib_checkout import INSTALLED, git, make_skeleton


@pytest.fixture
def skeleton(tmp_path):
    """A checkout with just those of SpeechBrain's files that are touched."""
    return make_skeleton(tmp_path / "speechbrain")


@pytest.fixture(scope="module")
def assembled(tmp_path_factory):
    """The same with the four branches."""
    import upstream

    folder = make_skeleton(tmp_path_factory.mktemp("checkout"))
    assert upstream.main([str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def speechbrain_with(assembled, tmp_path_factory):
    """Makes SpeechBrain as it is with a change set; gives its folder."""

    def make(name):
        folder = tmp_path_factory.mktemp(name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(INSTALLED, folder / "speechbrain", ignore=ignored)
        archive = folder / "branch.tar"
        git(assembled, "archive", f"pr/{name}", "-o", str(archive))
        shutil.unpack_archive(archive, folder, filter="tar")
        (folder / "pytest.ini").write_text(
            "[pytest]\ndoctest_optionflags = ELLIPSIS\n"
        )
        return folder

    return make
