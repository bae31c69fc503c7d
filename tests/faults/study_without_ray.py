"""Runs the trials of a study one after the other, as Ray's tasks run each.

    python study_without_ray.py study.yaml output_folder

Ray is left out since it takes longer to start than all the rest.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

from speechbrain_hrf.studies.run import run_trials
from speechbrain_hrf.studies.study import load_study

if __name__ == "__main__":
    study = load_study(sys.argv[1], f"output_folder: {sys.argv[2]}")
    study.save()
    for trial in study.trials:
        run_trials([trial], study)
