"""Using trained models: transfer of their parameters, merged evaluation.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.inference.merged import MergedClassifier
from speechbrain_hrf.inference.transfer import (
    load_merged,
    merge_on_transfer,
)

__all__ = ["MergedClassifier", "load_merged", "merge_on_transfer"]
