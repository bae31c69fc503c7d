"""The page as a folder: whole or not at all, and nothing of others is lost.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib

import pytest

from speechbrain_hrf.demo import write_page


@pytest.fixture
def files(tmp_path):
    """Two files of a page."""
    paths = {"index.html": tmp_path / "1", "sub/a.js": tmp_path / "2"}
    for path in paths.values():
        path.write_text(path.name)
    return paths


def content(folder):
    """Texts of all files of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_writes_everything(files, tmp_path):
    """The files, and sums by which sha256sum --check checks an upload."""
    size = write_page(files, tmp_path / "page")
    found = content(tmp_path / "page")
    sums = found.pop("SHA256SUMS")
    assert found == {"index.html": "1", "sub/a.js": "2"}
    assert size == len("12") + len(sums)
    digest = hashlib.sha256(b"2").hexdigest()
    assert f"{digest}  sub/a.js" in sums.splitlines()


def test_an_earlier_page_is_replaced(files, tmp_path):
    """Also by a page that has fewer files."""
    write_page(files, tmp_path / "page")
    files["index.html"].write_text("new")
    del files["sub/a.js"]
    write_page(files, tmp_path / "page")
    found = content(tmp_path / "page")
    assert found.keys() == {"SHA256SUMS", "index.html"}
    assert found["index.html"] == "new"


def test_files_of_others_are_kept(files, tmp_path):
    """A folder with anything but an untouched earlier page is refused."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="no SHA256SUMS"):
        write_page(files, other)

    # As sha256sum leaves it beside a download
    (other / "SHA256SUMS").write_text(
        f"{hashlib.sha256(b'years of work').hexdigest()}  thesis.tex\n"
    )
    with pytest.raises(FileExistsError, match="no index.html"):
        write_page(files, other)
    assert content(other)["thesis.tex"] == "years of work"

    write_page(files, tmp_path / "page")
    (tmp_path / "page" / "CNAME").write_text("example.org")
    with pytest.raises(FileExistsError, match="its CNAME was added"):
        write_page(files, tmp_path / "page")
    (tmp_path / "page" / "CNAME").unlink()
    (tmp_path / "page" / "index.html").write_text("changed by hand")
    with pytest.raises(FileExistsError, match="index.html was added or chan"):
        write_page(files, tmp_path / "page")
    assert content(tmp_path / "page")["index.html"] == "changed by hand"
