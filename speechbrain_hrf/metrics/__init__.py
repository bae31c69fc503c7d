"""What the field reports of a classifier, and how it is shown.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.metrics.display import (
    confusion_figure,
    confusion_text,
    report_text,
)
from speechbrain_hrf.metrics.scores import EmotionScores

__all__ = [
    "EmotionScores",
    "confusion_figure",
    "confusion_text",
    "report_text",
]
