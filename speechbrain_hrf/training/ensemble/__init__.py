"""Many runs of a recipe at once, stacked into one, with each run's results.

These models are so small that a GPU waits for Python. Runs of one arm, which
differ in seed, fold and learning rate alone, are trained together: their
parameters lie in one tensor, a step is taken by all of them
(``torch.func.vmap``), and on a GPU it is one captured graph. Everything else
is the recipe's own: its YAML builds each model, its samplers order the
utterances, its ``Brain`` computes loss and scores, ends the epochs and
evaluates, and each run's output folder is left as train.py leaves it.

As a command::

    python -m speechbrain_hrf.training.ensemble recipes/RAVDESS/train.py \
        hparams/conformer_hrf.yaml runs.json --device cuda

``runs.json`` holds a list of overrides, one object a run.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.training.ensemble.train import train_ensemble

__all__ = ["train_ensemble"]
