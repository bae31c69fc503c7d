"""HRF itself: expand linear layers for training, merge them for inference.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.nnet.algebra import collapse
from speechbrain_hrf.nnet.apply import HRFReport, apply_hrf, count_parameters
from speechbrain_hrf.nnet.chain import HRFConfig
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.merge import merge_hrf, merged_state_dict

__all__ = [
    "HRFConfig",
    "HRFLinear",
    "HRFReport",
    "apply_hrf",
    "collapse",
    "count_parameters",
    "merge_hrf",
    "merged_state_dict",
]
