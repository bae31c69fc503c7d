"""Lightweight and original ConvTransformer, Conformer and SpeechFormer.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.inference.transfer import merge_on_transfer
from speechbrain_hrf.lobes.models.activation import SquaredReLU
from speechbrain_hrf.lobes.models.classifier import ClassifierHead
from speechbrain_hrf.lobes.models.conformer import Conformer
from speechbrain_hrf.lobes.models.convtransformer import ConvTransformer
from speechbrain_hrf.lobes.models.speechformer import SpeechFormer

# A factorised checkpoint that Pretrainer loads into one of our models is merged
# on the way. Done here, where every import of a model comes by, so that the
# model files need nothing but PyTorch.
merge_on_transfer(ClassifierHead, Conformer, ConvTransformer, SpeechFormer)

__all__ = [
    "ClassifierHead",
    "Conformer",
    "ConvTransformer",
    "SpeechFormer",
    "SquaredReLU",
]
