"""Studies: many runs of a recipe, and what they say together.

A study (study.py) is a short YAML (keys.py) that stands for many trials
(trial.py). Each is one run of the recipe's train.py, alone or many at once on a
GPU (run.py), and leaves one line of trials.jsonl (lines.py). The report
(report.py) reads the lines, decides what they show (statistics.py) and words it
(answer.py)::

    hrf study studies/ravdess.yaml --data_folder /path/to/RAVDESS
    hrf report results/ravdess

Nothing that has finished is lost: a line is written whole (files.py), ``--resume``
runs those that are missing (drive.py), a killed worker's trials are tried again
(tasks.py), and a trial goes on from its recipe's checkpoint (run.py).

Authors
 * The speechbrain_hrf authors 2026
"""
