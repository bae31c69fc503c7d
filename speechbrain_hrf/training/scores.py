"""The scores that the field reports: WA, UA, WF1, MF1, and the confusion.

Of utterances, and of what they belong to: a participant's clips, say, are
pooled by the mean of their log-posteriors.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

# Those that reports of runs show, in this order.
SCORES = ("WA", "UA", "WF1", "MF1")


def score_text(value: float | None) -> str:
    """A score, or a difference of scores, as every table shows it.

    Arguments
    ---------
    value : float or None

    Returns
    -------
    str
        Three decimals without the leading zero; "-" where there is none.

    Example
    -------
    >>> score_text(0.4284), score_text(1.0), score_text(-0.25), score_text(None)
    ('.428', '1.000', '−.250', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    text = f"{abs(value):.3f}".removeprefix("0")
    return f"−{text}" if value < 0 and float(text) else text


class EmotionScores:
    """Collects predictions over the batches of a stage.

    Arguments
    ---------
    labels : list of str
        Names of the classes in the order of their indices.

    Example
    -------
    >>> import torch
    >>> scores = EmotionScores(["neu", "sad"])
    >>> log_probabilities = torch.tensor([[[-0.1, -2.0]], [[-3.0, -0.2]]])
    >>> scores.append(["a", "b"], log_probabilities, torch.tensor([[0], [0]]))
    >>> summary = scores.summarize()
    >>> summary["WA"], summary["UA"], summary["confusion"]
    (0.5, 0.5, [[1, 1], [0, 0]])
    """

    def __init__(self, labels: Sequence[str]):
        self.labels = list(labels)
        self.ids = []
        self.references = []
        self.log_probabilities = []

    @property
    def predictions(self) -> list[int]:
        """list of int: The most probable class of each utterance."""
        return [int(np.argmax(row)) for row in self.log_probabilities]

    def append(
        self,
        ids: Sequence[str],
        log_probabilities: torch.Tensor,
        references: torch.Tensor,
    ) -> None:
        """Adds a batch.

        Arguments
        ---------
        ids : list of str
            Utterances.
        log_probabilities : torch.Tensor
            [B, 1, C]
        references : torch.Tensor
            Class indices, [B, 1].
        """
        self.ids.extend(ids)
        self.references.extend(references.flatten().tolist())
        self.log_probabilities.extend(
            log_probabilities.squeeze(1).detach().double().cpu().numpy()
        )

    def pooled(self, group_of: Mapping[str, str]) -> "EmotionScores":
        """The same for groups of utterances, by the mean of log-posteriors.

        Arguments
        ---------
        group_of : dict of str: str
            Utterance to group; all of a group have one true class.

        Returns
        -------
        EmotionScores
            One entry per group, in the order of its first utterance.

        Raises
        ------
        ValueError
            If the true classes of a group differ.

        Example
        -------
        >>> import torch
        >>> scores = EmotionScores(["no", "yes"])
        >>> log_probabilities = torch.tensor([[[-0.7, -0.8]], [[-3.0, -0.1]]])
        >>> scores.append(["a1", "a2"], log_probabilities, torch.ones(2, 1).int())
        >>> people = scores.pooled({"a1": "a", "a2": "a"})
        >>> people.ids, people.predictions, scores.predictions
        (['a'], [1], [0, 1])
        """
        rows, references = {}, {}
        for utterance, row, reference in zip(
            self.ids, self.log_probabilities, self.references, strict=True
        ):
            group = group_of[utterance]
            rows.setdefault(group, []).append(row)
            if references.setdefault(group, reference) != reference:
                raise ValueError(
                    f"The utterances of {group} have different true classes, "
                    f"{self.labels[references[group]]} and "
                    f"{self.labels[reference]}: they cannot be pooled."
                )
        pooled = EmotionScores(self.labels)
        pooled.ids = list(rows)
        pooled.references = list(references.values())
        pooled.log_probabilities = [
            np.mean(group, axis=0) for group in rows.values()
        ]
        return pooled

    def summarize(self) -> dict[str, Any]:
        """All scores of what was collected.

        Returns
        -------
        dict
            WA (accuracy), UA (mean recall over the classes that occur), WF1
            and MF1 (F1 weighted by class frequency, and plain mean): float;
            confusion: counts, one list per true class; per_class: label to
            precision, recall, F1 and n (utterances of that class); n:
            utterances in all; predicted: utterance to label.
        """
        if not self.references:
            raise ValueError("There is nothing to score: the set is empty.")
        true, found = self.references, self.predictions
        classes = list(range(len(self.labels)))
        occurring = sorted(set(true))
        # Plain numbers: SpeechBrain's checkpoints cannot hold numpy scalars.
        return {
            "WA": float(accuracy_score(true, found)),
            "UA": float(
                recall_score(true, found, labels=occurring, average="macro")
            ),
            "WF1": _f1(true, found, classes, "weighted"),
            "MF1": _f1(true, found, classes, "macro"),
            "confusion": confusion_matrix(true, found, labels=classes).tolist(),
            "per_class": self._per_class(true, found, classes),
            "n": len(true),
            "predicted": {
                utterance: self.labels[index]
                for utterance, index in zip(self.ids, found, strict=True)
            },
        }

    def _per_class(self, true, found, classes):
        columns = precision_recall_fscore_support(
            true, found, labels=classes, zero_division=0
        )
        names = ("precision", "recall", "F1", "n")
        return {
            label: {
                name: int(value) if name == "n" else float(value)
                for name, value in zip(names, values, strict=True)
            }
            for label, values in zip(
                self.labels, zip(*columns, strict=True), strict=True
            )
        }


def _f1(true, found, classes, average):
    return float(
        f1_score(true, found, labels=classes, average=average, zero_division=0)
    )
