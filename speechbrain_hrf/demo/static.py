"""Writes the page as a folder for any static web server.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import os
import pathlib
import shutil

from speechbrain_hrf.files import replace_folder

# In the form that sha256sum --check reads, so that an upload can be checked.
SUMS = "SHA256SUMS"


def write_page(
    files: dict[str, pathlib.Path], target: str | os.PathLike[str]
) -> int:
    """Writes the files of a page into a folder: all of them, or nothing.

    Arguments
    ---------
    files : dict of str to pathlib.Path
        From ``page_files``.
    target : str or os.PathLike
        New, empty, or an earlier page without foreign or changed files; that
        is replaced.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    FileExistsError
        The folder holds something else.
    OSError
        The folder cannot be written.

    Example
    -------
    >>> page = pathlib.Path(getfixture("tmpdir")) / "page"
    >>> write_page({"a/code.py": pathlib.Path(__file__)}, page) > 1000
    True
    >>> sorted(path.name for path in page.iterdir())
    ['SHA256SUMS', 'a']
    """
    with replace_folder(target, _foreign) as folder:
        for name, path in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        sums = _sums(folder)
        (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
        return sum(
            path.stat().st_size for path in folder.rglob("*") if path.is_file()
        )


def _foreign(folder: pathlib.Path) -> str | None:
    """Why a folder is no page that may be replaced, or None."""
    if not (folder / SUMS).is_file():
        return f"it holds other files, and no {SUMS} of an earlier page"
    if not (folder / "index.html").is_file():
        return "it holds other files, and no index.html of an earlier page"
    text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    told = set(text.splitlines())
    for line in _sums(folder).splitlines():
        if line not in told:
            name = line.split("  ", 1)[1]
            return f"its {name} was added or changed since the page was written"
    return None


def _sums(folder: pathlib.Path) -> str:
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != SUMS:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {name}\n")
    return "".join(lines)
