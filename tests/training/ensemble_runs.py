"""Runs of the RAVDESS recipe for the tests of ensembles, and their reference.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.sampler import ReproducibleRandomSampler

from speechbrain_hrf.training import fit_normalisation
from speechbrain_hrf.training.ensemble.recipe import brain_class

RECIPE = pathlib.Path(__file__).parents[2] / "recipes" / "RAVDESS"
SCRIPT = RECIPE / "train.py"
MODELS = ("convtransformer", "conformer", "speechformer")
ARMS = {
    "lightweight": {"hrf_modules": []},
    "ALL": {"hrf_modules": ["ALL"]},
    "ALL + FRONT normalised": {
        "hrf_modules": ["ALL", "FRONT"],
        "hrf_inner_norm": True,
    },
}
# Two folds of different sizes, three seeds, three rates.
VARIANTS = (
    {"seed": 1, "fold": 1, "lr": 0.001},
    {"seed": 2, "fold": 2, "lr": 0.0005},
    {"seed": 3, "fold": 1, "lr": 0.002},
)


def hparams_file(model):
    return str(RECIPE / "hparams" / f"{model}_hrf.yaml")


def runs_of(corpus, folder, variants=VARIANTS, **common):
    """Overrides of some short runs, each with a folder of its own."""
    shared = {
        "data_folder": str(corpus / "RAVDESS"),
        "feature_folder": str(corpus / "features"),
        "batch_size": 16,
        "segment_frames": 40,
        "number_of_epochs": 1,
        "export_folder": None,
    }
    return [
        {**shared, **common, **each, "output_folder": str(folder / str(k))}
        for k, each in enumerate(variants)
    ]


def as_train_py(module, model, run, double=False):
    """What train.py does up to its evaluation, in this process."""
    with open(hparams_file(model), encoding="utf-8") as stream:
        hparams = load_hyperpyyaml(stream, run)
    module.prepare(hparams)
    datasets = module.dataio_prep(hparams)
    fit_normalisation(hparams["mean_var_norm"], datasets["train"])
    hparams["apply_hrf"](hparams["model"])
    brain = brain_class(module)(
        modules=hparams["modules"],
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts={"device": "cpu", "noprogressbar": True},
        checkpointer=hparams["checkpointer"],
    )
    collate = hparams["collate_fn"]
    if double:
        brain.modules.double()

        def collate(examples):
            batch = hparams["collate_fn"](examples)
            batch.feats = batch.feats._replace(data=batch.feats.data.double())
            return batch

    brain.distillation = None
    brain.train_sampler = ReproducibleRandomSampler(
        datasets["train"], seed=hparams["seed"]
    )
    brain.fit(
        hparams["epoch_counter"],
        datasets["train"],
        datasets.get("valid"),
        train_loader_kwargs={
            **hparams["train_dataloader_opts"],
            "collate_fn": collate,
            "sampler": brain.train_sampler,
        },
        valid_loader_kwargs={
            **hparams["test_dataloader_opts"],
            "collate_fn": collate,
        },
    )
    return brain
