"""Lightweight and original ConvTransformer, Conformer and SpeechFormer.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.lobes.models.activation import SquaredReLU
from speechbrain_hrf.lobes.models.classifier import ClassifierHead
from speechbrain_hrf.lobes.models.conformer import Conformer
from speechbrain_hrf.lobes.models.convtransformer import ConvTransformer
from speechbrain_hrf.lobes.models.speechformer import SpeechFormer

__all__ = [
    "ClassifierHead",
    "Conformer",
    "ConvTransformer",
    "SpeechFormer",
    "SquaredReLU",
]
