"""The end of a run: its results on the disk, and the model to deploy.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import speechbrain as sb
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.nnet import HRFReport
from speechbrain_hrf.training.ending import work_is_done
from speechbrain_hrf.training.results import (
    collect_results,
    results_text,
    write_results,
)
from speechbrain_hrf.training.stand_in import warn_if_synthetic

logger = get_logger(__name__)


def finish_run(
    brain: sb.Brain,
    hparams: Mapping[str, Any],
    report: HRFReport,
    notes: Mapping[str, Any],
    export_folder: str | os.PathLike[str] | None,
) -> None:
    """Writes the results and exports the model that they are of.

    Nothing is written after a few batches (``--debug``), and nothing exported
    if ``compute_features`` says by an attribute ``why_not_exported`` that a
    model on its features is not to be deployed.

    Arguments
    ---------
    brain : speechbrain.Brain
        After ``evaluate``, see ``collect_results``.
    hparams : dict
        Of the recipe, see ``collect_results``; and compute_features.
    report : speechbrain_hrf.nnet.HRFReport
        What ``apply_hrf`` returned.
    notes : dict
        See ``collect_results``.
    export_folder : str or os.PathLike or None
        None exports nothing.

    Example
    -------
    >>> brain, hparams, report = getfixture("scored_run")
    >>> finish_run(brain, hparams, report, {}, export_folder=None)
    >>> (hparams["output_folder"] / "test_metrics.json").is_file()
    True
    """
    results = collect_results(brain, hparams, report, notes)
    if brain.debug:
        logger.info("Nothing is written.\n%s", results_text(results))
        work_is_done()
        return
    logger.info("%s", results_text(results))
    run_on_main(write_results, args=[results, hparams["output_folder"]])
    why_not = getattr(hparams["compute_features"], "why_not_exported", None)
    if export_folder is None:
        why_not = "export_folder is null"
    if why_not:
        logger.info("Nothing is exported: %s", why_not)
    else:
        export = run_on_main(
            export_pretrained, args=[hparams["output_folder"], export_folder]
        )
        logger.info("%s", export)
    warn_if_synthetic(hparams["data_folder"])
    work_is_done()
