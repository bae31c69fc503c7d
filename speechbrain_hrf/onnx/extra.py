"""Says what to install where the packages of the extra ``onnx`` are missing.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def require_extra(packages=PACKAGES):
    """Raises if a package of the extra ``onnx`` cannot be imported.

    Arguments
    ---------
    packages : sequence of str
        Those that are needed.

    Raises
    ------
    ImportError
        Naming the package and the command that installs it.

    Example
    -------
    >>> require_extra()
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"ONNX needs {package}, which cannot be imported ({error}). "
                'Run: pip install "speechbrain-hrf[onnx]" (in a checkout: pip '
                'install -e ".[onnx]").'
            ) from error
