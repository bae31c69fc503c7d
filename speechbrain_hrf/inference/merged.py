"""Evaluation with the weights that are shipped, held against the chains.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import Any

import torch
from torch import nn

from speechbrain_hrf.nnet import ExpandedLayer, merge_hrf
from speechbrain_hrf.nnet.merge import copy_model


class MergedClassifier(nn.Module):
    """Scores the merged copy of a model, and compares it with the chains.

    The reference sends every frame through the chains of wide layers, so that
    nothing of the algebra which merging relies on is in it. Both work in
    float32: of a very confident model's log-probabilities, say -30, no more
    than five digits can agree.

    Arguments
    ---------
    embedding_model : torch.nn.Module
        (feats, wav_lens) -> [B, 1, D]; stays as it is.
    classifier : torch.nn.Module
        [B, 1, D] -> [B, 1, C]; stays as it is.

    Example
    -------
    >>> from speechbrain_hrf import ClassifierHead, SpeechFormer, apply_hrf
    >>> modules = nn.ModuleList([SpeechFormer(), ClassifierHead(16, 4)])
    >>> report = apply_hrf(modules, ["ALL"])
    >>> deployed = MergedClassifier(*modules)
    >>> deployed(torch.rand(2, 50, 78), torch.ones(2)).shape
    torch.Size([2, 1, 4])
    >>> deployed.difference < 1e-5
    True
    """

    def __init__(self, embedding_model: nn.Module, classifier: nn.Module):
        super().__init__()
        model = nn.ModuleList([embedding_model, classifier])
        # Brain.evaluate() sets its own modules to eval; these copies are not.
        # What merge_hrf does: nnet/merge.py.
        self.merged: Any = merge_hrf(model).eval()
        self.chained: Any = copy_model(model).eval()
        for module in self.chained.modules():
            if isinstance(module, ExpandedLayer):
                module.hrf_chained = True
        self.difference = 0.0

    @torch.no_grad()
    def forward(
        self, feats: torch.Tensor, wav_lens: torch.Tensor
    ) -> torch.Tensor:
        """Log-probabilities of the merged model.

        Also keeps the largest difference from the chains' in ``difference``.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F]
        wav_lens : torch.Tensor
            Relative lengths, [B].

        Returns
        -------
        torch.Tensor
            [B, 1, C]
        """
        output: torch.Tensor
        output, reference = (
            classifier(embedding_model(feats, wav_lens))
            for embedding_model, classifier in (self.merged, self.chained)
        )
        difference = (output - reference).abs().max()
        # Not Python's max, which passes over NaN.
        before = difference.new_tensor(self.difference)
        self.difference = float(torch.maximum(difference, before))
        return output
