"""What the recipes' train.py files share, and many trainings at once.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.training.allocator import keep_freed_memory
from speechbrain_hrf.training.checkpoints import key_of_scored_epoch
from speechbrain_hrf.training.cuda_graphs import capture_steps
from speechbrain_hrf.training.data import (
    fit_normalisation,
    load_splits,
    save_labels,
)
from speechbrain_hrf.training.distil import make_distillation
from speechbrain_hrf.training.effective_steps import record_steps
from speechbrain_hrf.training.epoch import end_epoch
from speechbrain_hrf.training.factor_steps import scale_factor_steps
from speechbrain_hrf.training.features import use_hubert
from speechbrain_hrf.training.finish import finish_run
from speechbrain_hrf.training.launch import (
    locate_hparams,
    make_stand_in,
    refuse_other_options,
    use_stand_in,
    warn_if_synthetic,
)
from speechbrain_hrf.training.results import (
    collect_results,
    results_text,
    write_results,
)
from speechbrain_hrf.training.scores import EmotionScores
from speechbrain_hrf.training.trained_on import refuse_other_data
from speechbrain_hrf.training.weights import class_weights

__all__ = [
    "EmotionScores",
    "capture_steps",
    "class_weights",
    "collect_results",
    "end_epoch",
    "finish_run",
    "fit_normalisation",
    "keep_freed_memory",
    "key_of_scored_epoch",
    "load_splits",
    "locate_hparams",
    "make_distillation",
    "make_stand_in",
    "record_steps",
    "refuse_other_data",
    "refuse_other_options",
    "results_text",
    "save_labels",
    "scale_factor_steps",
    "use_hubert",
    "use_stand_in",
    "warn_if_synthetic",
    "write_results",
]
