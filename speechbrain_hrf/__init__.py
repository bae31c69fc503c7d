"""HRF for SpeechBrain: train wider linear layers, ship the small model.

Importing the plugin also makes its models reachable as SpeechBrain lobes,
``speechbrain.lobes.models.hrf.Conformer`` and so on.

Example
-------
>>> import torch, speechbrain_hrf
>>> from speechbrain.lobes.models.hrf import Conformer
>>> model = Conformer(num_blocks=1, d_model=16, d_ffn=2)
>>> report = speechbrain_hrf.apply_hrf(model, ["FFN_M1"], ratio=8)
>>> merged = speechbrain_hrf.merge_hrf(model)
>>> speechbrain_hrf.count_parameters(merged) == report.before
True

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

import speechbrain.lobes.models

from speechbrain_hrf.inference import merge_on_transfer
from speechbrain_hrf.lobes import models as _models
from speechbrain_hrf.lobes.models import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
    SquaredReLU,
)
from speechbrain_hrf.nnet import (
    HRFLinear,
    apply_hrf,
    collapse,
    count_parameters,
    merge_hrf,
    merged_state_dict,
)
from speechbrain_hrf.nnet.profile import profile

# A factorised checkpoint that Pretrainer loads into one of our models is merged
# on the way. Done here, so that the model files need nothing but PyTorch.
merge_on_transfer(ClassifierHead, Conformer, ConvTransformer, SpeechFormer)

# So that a YAML's !new:speechbrain.lobes.models.hrf.Conformer finds it.
sys.modules["speechbrain.lobes.models.hrf"] = _models
speechbrain.lobes.models.hrf = _models

__all__ = [
    "ClassifierHead",
    "Conformer",
    "ConvTransformer",
    "HRFLinear",
    "SpeechFormer",
    "SquaredReLU",
    "apply_hrf",
    "collapse",
    "count_parameters",
    "merge_hrf",
    "merged_state_dict",
    "profile",
]
