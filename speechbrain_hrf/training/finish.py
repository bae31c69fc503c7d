"""The end of a run: its results on the disk, and the model to deploy.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.training.results import results_text, write_results

logger = get_logger(__name__)


def finish_run(results, output_folder, export_folder, compute_features, debug):
    """Writes the results and exports the model that they are of.

    Arguments
    ---------
    results : dict
        Of ``collect_results``, and what the recipe adds.
    output_folder : str
    export_folder : str or None
        None exports nothing.
    compute_features : torch.nn.Module
        May say by an attribute ``why_not_exported`` that a model on its
        features is not to be deployed.
    debug : bool
        After a few batches there is no result, and no checkpoint to export.

    Example
    -------
    >>> row = {"precision": 0.5, "recall": 0.5, "F1": 0.5, "n": 1}
    >>> results = {"labels": ["a", "b"], "WA": 0.5, "UA": 0.5, "WF1": 0.5,
    ...     "MF1": 0.5, "confusion": [[1, 1], [0, 0]], "n_test": 2,
    ...     "per_class": {"a": row, "b": row}, "split": "test",
    ...     "params_training": 9, "params_merged": 6, "params_lightweight": 6,
    ...     "max_merge_difference": 1e-7}
    >>> folder = getfixture("tmpdir")
    >>> finish_run(results, folder.strpath, "unused", None, debug=True)
    >>> folder.listdir()
    []
    """
    if debug:
        logger.info("Nothing is written.\n%s", results_text(results))
        return
    run_on_main(write_results, args=[output_folder, results])
    why_not = getattr(compute_features, "why_not_exported", None)
    if export_folder is None:
        why_not = "export_folder is null"
    if why_not:
        logger.info("Nothing is exported: %s", why_not)
        return
    export = run_on_main(export_pretrained, args=[output_folder, export_folder])
    logger.info("%s", export)
