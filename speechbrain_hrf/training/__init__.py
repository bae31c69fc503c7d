"""What the recipes' train.py files share, and many trainings at once.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.training.data import (
    add_features,
    add_items,
    add_labels,
    fit_normalisation,
)
from speechbrain_hrf.training.distil import make_distillation
from speechbrain_hrf.training.epoch import end_epoch
from speechbrain_hrf.training.finish import finish_run
from speechbrain_hrf.training.launch import parse_arguments
from speechbrain_hrf.training.optimizer import hrf_optimizer
from speechbrain_hrf.training.other_data import refuse_other_data
from speechbrain_hrf.training.scores import EmotionScores
from speechbrain_hrf.training.speed import speed_up_steps
from speechbrain_hrf.training.stand_in import make_stand_in
from speechbrain_hrf.training.weights import class_weights

__all__ = [
    "EmotionScores",
    "add_features",
    "add_items",
    "add_labels",
    "class_weights",
    "end_epoch",
    "finish_run",
    "fit_normalisation",
    "hrf_optimizer",
    "make_distillation",
    "make_stand_in",
    "parse_arguments",
    "refuse_other_data",
    "speed_up_steps",
]
