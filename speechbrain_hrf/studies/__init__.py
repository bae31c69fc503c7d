"""Studies: many runs of a recipe, and what they say together.

A study (study.py) is a short YAML that stands for many trials (trial.py). Each
is one run of the recipe's train.py, alone or many at once on a GPU (run.py),
and leaves one line of trials.jsonl (lines.py). The report (report.py) reads the
lines::

    hrf study studies/ravdess.yaml --data_folder /path/to/RAVDESS
    hrf report results/ravdess

Authors
 * The speechbrain_hrf authors 2026
"""
