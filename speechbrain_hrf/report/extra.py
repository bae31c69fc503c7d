"""Says what to install where the report's packages are missing.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib

PACKAGES = ("pandas", "scipy", "pingouin", "jinja2")


def require_extra():
    """Raises if a package of the extra ``sweep`` cannot be imported.

    Raises
    ------
    ImportError
        Naming the package and the command that installs it.

    Example
    -------
    >>> require_extra()
    """
    for package in PACKAGES:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"The report needs {package}, which cannot be imported "
                f"({error}). Run: pip install "
                '"speechbrain-hrf[sweep]" (in a checkout: pip install -e '
                '".[sweep]").'
            ) from error
