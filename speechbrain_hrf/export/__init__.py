"""deHRF and export: from a training to a folder that SpeechBrain loads.

As a command::

    hrf export <checkpoint or output folder> <target>

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers read
    from speechbrain_hrf.export.pretrained import export_pretrained
    from speechbrain_hrf.export.report import ExportReport
    from speechbrain_hrf.export.verify import VerificationError

__all__ = ["ExportReport", "VerificationError", "export_pretrained"]

_HOMES = {
    "ExportReport": "report",
    "VerificationError": "verify",
    "export_pretrained": "pretrained",
}


def __getattr__(name: str) -> Any:
    # Imported when first used: `export.onnx.sizes` needs no PyTorch.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return getattr(module, name)
