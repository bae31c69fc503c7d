"""Lightweight and original ConvTransformer, Conformer and SpeechFormer.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.inference.transfer import merge_on_transfer
from speechbrain_hrf.lobes.models.classifier import ClassifierHead
from speechbrain_hrf.lobes.models.conformer import Conformer
from speechbrain_hrf.lobes.models.convtransformer import ConvTransformer
from speechbrain_hrf.lobes.models.speechformer import SpeechFormer

__all__ = ["ClassifierHead", "Conformer", "ConvTransformer", "SpeechFormer"]

# A factorised checkpoint that Pretrainer loads into one of these is merged on
# the way. Done here, so that the model files need nothing but PyTorch.
merge_on_transfer(ClassifierHead, Conformer, ConvTransformer, SpeechFormer)
