"""Studies: many runs of a recipe, on as many cores or machines as there are.

A study (study.py) is a short YAML that stands for many trials (trial.py). Each
is one run of the recipe's train.py (run.py) and leaves one line (lines.py),
from which ``python -m speechbrain_hrf.report`` makes tables and figures.

Authors
 * The speechbrain_hrf authors 2026
"""
