"""Models as SpeechBrain lobes.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    # Imported when it is used: see the package's __init__.
    if name == "models":
        return importlib.import_module(f"{__name__}.models")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
