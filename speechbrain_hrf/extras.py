"""Says what to install where the packages of an extra are missing.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
from collections.abc import Sequence


def require(extra: str, packages: Sequence[str], who: str) -> None:
    """Raises if a package of an extra of setup.py cannot be imported.

    Arguments
    ---------
    extra : str
        Its name there.
    packages : sequence of str
        Those of it that are needed.
    who : str
        Needs them; begins the message.

    Raises
    ------
    ImportError
        Naming the package and the command that installs it.

    Example
    -------
    >>> require("studies", ["json"], "The report")
    >>> require("studies", ["pandass"], "The report")
    Traceback (most recent call last):
    ...
    ImportError: The report needs pandass, which cannot be imported (No module
    named 'pandass'). Run: pip install "speechbrain-hrf[studies]" (in a checkout:
    pip install -e ".[studies]").
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"{who} needs {package}, which cannot be imported ({error}). "
                f'Run: pip install "speechbrain-hrf[{extra}]" (in a checkout: '
                f'pip install -e ".[{extra}]").'
            ) from error
