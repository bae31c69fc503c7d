"""deHRF and export: from a training to a folder that SpeechBrain loads.

As a command::

    python -m speechbrain_hrf.export <checkpoint or output folder> <target>

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.export.pretrained import ExportReport, export_pretrained
from speechbrain_hrf.export.verify import VerificationError

__all__ = ["ExportReport", "VerificationError", "export_pretrained"]
