"""Where a figure comes from: which code, which processor.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import platform
import re
import subprocess


def code_version():
    """The commit that this package's files are of.

    Returns
    -------
    str or None
        Forty digits; None where it is not a git checkout.
    bool or None
        Whether files that git tracks were changed since.

    Example
    -------
    >>> commit, dirty = code_version()
    """
    here = pathlib.Path(__file__).parent

    def git(*arguments):
        return subprocess.run(
            ["git", "-C", str(here), *arguments],
            capture_output=True,
            text=True,
        )

    try:
        # Installed into an environment that lies in somebody's repository?
        if git("ls-files", "--error-unmatch", __file__).returncode:
            return None, None
        commit = git("rev-parse", "HEAD").stdout.strip()
        changes = git("status", "--porcelain", "--untracked-files=no").stdout
    except OSError:  # no git
        return None, None
    return commit, bool(changes.strip())


def cpu_name():
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
    if info.is_file():
        found = re.search(r"^model name\s*: (.*)$", info.read_text(), re.M)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
