"""Where a figure comes from: which code, table of labels and processor.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import pathlib
import platform
import re
import subprocess


def code_version() -> tuple[str | None, bool | None]:
    """The commit that this package's files are of.

    Returns
    -------
    str or None
        Forty digits; None where it is not a git checkout.
    bool or None
        Whether its files, or the recipes', were changed since. Results do
        not count: a study may write them into the checkout.

    Example
    -------
    >>> commit, dirty = code_version()
    """
    checkout = pathlib.Path(__file__).resolve().parents[1]
    if not (checkout / ".git").exists():
        return None, None  # an environment, in somebody's repository or none

    def git(*arguments):
        return subprocess.check_output(
            ["git", *arguments], cwd=checkout, text=True
        ).strip()

    tracked = ["status", "--porcelain", "--untracked-files=no"]
    try:
        changes = git(*tracked, "speechbrain_hrf", "recipes")
        return git("rev-parse", "HEAD"), bool(changes)
    except (OSError, subprocess.CalledProcessError):  # no git, or it refuses
        return None, None


def table_version(data_folder: str) -> str | None:
    """What the content of a table of one's own recordings is told by.

    Arguments
    ---------
    data_folder : str
        Of a study: the table, or a folder that has it, as the recipe OwnData
        finds it.

    Returns
    -------
    str or None
        Twelve digits; None if there is no table.

    Example
    -------
    >>> table = getfixture("tmpdir").join("labels.csv")
    >>> table.write("path,label")
    >>> table_version(table.strpath) == table_version(table.dirname)
    True
    >>> table_version("/no/such/folder") is None
    True
    """
    place = pathlib.Path(data_folder)
    for path in (place, place / "labels.csv", *place.glob("*/labels.csv")):
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return None


def cpu_name() -> str:
    """The processor, as far as the system tells.

    Returns
    -------
    str

    Example
    -------
    >>> isinstance(cpu_name(), str)
    True
    """
    info = pathlib.Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.is_file() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.M)
    return found[1] if found else platform.processor() or platform.machine()
