"""Evaluation with the weights that are shipped.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import nn

from speechbrain_hrf.nnet import merge_hrf


class MergedClassifier(nn.Module):
    """Scores the merged copy of a model, and compares it with the original.

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

    def __init__(self, embedding_model, classifier):
        super().__init__()
        self.factorised = nn.ModuleList([embedding_model, classifier])
        # Brain.evaluate() sets its own modules to eval; this copy is not one.
        self.merged = merge_hrf(self.factorised).eval()
        self.difference = 0.0

    @torch.no_grad()
    def forward(self, feats, wav_lens):
        """Log-probabilities of the merged model.

        Also keeps the largest difference from the factorised model's in
        ``difference``.

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
        mode = self.factorised.training
        self.factorised.eval()
        outputs = [
            classifier(embedding_model(feats, wav_lens))
            for embedding_model, classifier in (self.merged, self.factorised)
        ]
        self.factorised.train(mode)
        difference = float((outputs[0] - outputs[1]).abs().max())
        self.difference = max(self.difference, difference)
        return outputs[0]
