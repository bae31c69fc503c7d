"""The RAVDESS recipe in this process, up to the point where it would train.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import pathlib
import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml

RECIPE = pathlib.Path(__file__).resolve().parents[1] / "recipes" / "RAVDESS"


def train_script():
    """recipes/RAVDESS/train.py as a module.

    Returns
    -------
    module
    """
    sys.path.insert(0, str(RECIPE))  # for its own ravdess_prepare
    spec = importlib.util.spec_from_file_location("train", RECIPE / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prepared(
    script, data_folder, output_folder, model, brain_class=None, **overrides
):
    """Hyperparameters, datasets and Brain, as train.py makes them.

    Arguments
    ---------
    script : module
        Of ``train_script``.
    data_folder, output_folder : str
    model : str
        ConvTransformer, Conformer or SpeechFormer.
    brain_class : type, optional
        Default: the recipe's own.
    **overrides
        Further keys of the YAML.

    Returns
    -------
    dict
        Hyperparameters.
    dict
        Datasets.
    speechbrain.Brain
    """
    overrides |= {
        "data_folder": str(data_folder),
        "output_folder": str(output_folder),
        "feature_folder": f"{output_folder}/features",
    }
    path = RECIPE / "hparams" / f"{model.lower()}_hrf.yaml"
    with open(path, encoding="utf-8") as stream:
        hparams = load_hyperpyyaml(stream, overrides)
    script.prepare_ravdess(
        hparams["data_folder"],
        hparams["manifest_folder"],
        fold=hparams["fold"],
        protocol=hparams["protocol"],
    )
    datasets = script.dataio_prep(hparams)
    script.fit_normalisation(hparams["mean_var_norm"], datasets["train"])
    hparams["apply_hrf"](hparams["model"])
    brain = (brain_class or script.EmotionBrain)(
        modules=hparams["modules"],
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts={"device": "cpu", "noprogressbar": True},
        checkpointer=hparams["checkpointer"],
    )
    brain.on_fit_start()
    hparams["epoch_counter"].current = 1  # normalisation is fixed from here
    return hparams, datasets, brain


def one_epoch(brain, hparams, train_set):
    """One epoch as ``fit`` runs it, with its log line and checkpoint.

    Arguments
    ---------
    brain : speechbrain.Brain
    hparams : dict
    train_set : DynamicItemDataset or DataLoader
    """
    options = hparams["train_dataloader_opts"]
    if not isinstance(train_set, sb.dataio.dataloader.SaveableDataLoader):
        train_set = brain.make_dataloader(
            train_set, stage=sb.Stage.TRAIN, **options
        )
    brain.step = 0
    brain._fit_train(train_set=train_set, epoch=1, enable=False)
