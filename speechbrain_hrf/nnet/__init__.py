"""HRF itself: expand linear layers for training, merge them for inference.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.nnet.algebra import collapse
from speechbrain_hrf.nnet.apply import apply_hrf
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.merge import merge_hrf, merged_state_dict
from speechbrain_hrf.nnet.report import HRFReport, count_parameters

__all__ = [
    "HRFLinear",
    "HRFReport",
    "apply_hrf",
    "collapse",
    "count_parameters",
    "merge_hrf",
    "merged_state_dict",
]
