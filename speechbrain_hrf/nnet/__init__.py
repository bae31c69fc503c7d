"""HRF itself: expand linear layers for training, merge them for inference.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.nnet.algebra import collapse
from speechbrain_hrf.nnet.apply import HRFReport, apply_hrf, count_parameters
from speechbrain_hrf.nnet.chain import HRFConfig
from speechbrain_hrf.nnet.inner_norm import update_inner_norms
from speechbrain_hrf.nnet.kinds import register_kind
from speechbrain_hrf.nnet.kinds.conv import HRFConv
from speechbrain_hrf.nnet.kinds.expanded import Expanded, ExpandedLayer
from speechbrain_hrf.nnet.kinds.linear import HRFLinear
from speechbrain_hrf.nnet.merge import merge_hrf, merged_state_dict

__all__ = [
    "Expanded",
    "ExpandedLayer",
    "HRFConfig",
    "HRFConv",
    "HRFLinear",
    "HRFReport",
    "apply_hrf",
    "collapse",
    "count_parameters",
    "merge_hrf",
    "merged_state_dict",
    "register_kind",
    "update_inner_norms",
]
