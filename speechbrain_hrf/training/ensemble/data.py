"""The utterances of all runs, in the device's memory once.

Runs of one fold share their preparation: manifests, features and statistics
are the first one's, copied.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from types import ModuleType

import torch
from speechbrain.dataio.dataset import DynamicItemDataset

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.training import fit_normalisation, refuse_other_data
from speechbrain_hrf.training.ensemble.options import FOLDS

# Features are read in such portions.
PORTION = 256


class Fold:
    """What the runs of one fold have in common.

    Arguments
    ---------
    module : module
        Of ``load_recipe``.
    hparams : dict
        Of the first run of that fold, whose preparation is done here.

    Example
    -------
    >>> Fold.key({"data_folder": "/data", "fold": 2, "seed": 1})
    ('/data', 2, None, None)
    """

    def __init__(self, module: ModuleType, hparams: dict):
        module.prepare(hparams)
        refuse_other_data(hparams["manifest_folder"], hparams["save_folder"])
        self.data_folder = hparams["data_folder"]
        self.datasets = module.dataio_prep(hparams)
        self.collate = hparams["collate_fn"]
        self.manifest_folder = pathlib.Path(hparams["manifest_folder"])
        self.encoder = hparams["label_encoder"]
        fit_normalisation(hparams["mean_var_norm"], self.datasets["train"])
        self.norm = hparams["mean_var_norm"]

    @staticmethod
    def key(hparams: dict) -> tuple:
        """What tells folds apart.

        Arguments
        ---------
        hparams : dict

        Returns
        -------
        tuple
        """
        return hparams["data_folder"], *(hparams.get(key) for key in FOLDS)

    @property
    def labels(self) -> list[str]:
        """The classes in the order of their indices."""
        return [self.encoder.ind2lab[k] for k in range(len(self.encoder))]

    def copy_to(self, hparams: dict) -> None:
        """Does for a further run what was done for the first one.

        Arguments
        ---------
        hparams : dict
            Of that run; its label encoder and normalisation are changed.
        """
        place = pathlib.Path(hparams["manifest_folder"])
        place.mkdir(parents=True, exist_ok=True)
        # fingerprint.json, by which the set counts, goes first and comes last.
        files = sorted(
            self.manifest_folder.glob("*.json"),
            key=lambda path: path.name == "fingerprint.json",
        )
        (place / "fingerprint.json").unlink(missing_ok=True)
        for path in files:
            write_whole(place / path.name, path.read_bytes())
        refuse_other_data(place, hparams["save_folder"])
        hparams["label_encoder"].update_from_iterable(self.labels)
        pathlib.Path(hparams["save_folder"]).mkdir(parents=True, exist_ok=True)
        hparams["label_encoder"].save(hparams["label_encoder_file"])
        norm = hparams["mean_var_norm"]
        if norm.norm_type == "global":
            norm.count = self.norm.count
            norm.glob_mean = self.norm.glob_mean.clone()
            norm.glob_std = self.norm.glob_std.clone()


class Corpus:
    """Features, lengths and labels of all utterances that are trained on.

    Arguments
    ---------
    folds : sequence of Fold
    device : str

    Attributes
    ----------
    feats : torch.Tensor
        Zero-filled segments, [N, T, F].
    lens : torch.Tensor
        Relative lengths, [N].
    labels : torch.Tensor
        Class indices, [N, 1].

    Example
    -------
    >>> corpus = Corpus([], "cpu")
    >>> len(corpus.row_of)
    0
    """

    def __init__(self, folds: list[Fold], device: str):
        self.row_of = {}
        parts = []
        for fold in folds:
            for split in ("train", "valid"):
                if split in fold.datasets:
                    parts += self._read(fold, fold.datasets[split])
        if parts:
            self.feats, self.lens, self.labels = (
                torch.cat(columns).to(device)
                for columns in zip(*parts, strict=True)
            )

    def _read(self, fold: Fold, dataset: DynamicItemDataset) -> list[tuple]:
        # An utterance is the same in all folds.
        new = [
            k
            for k, name in enumerate(dataset.data_ids)
            if (fold.data_folder, name) not in self.row_of
        ]
        parts = []
        for start in range(0, len(new), PORTION):
            chosen = new[start : start + PORTION]
            batch = fold.collate([dataset[k] for k in chosen])
            feats, lens = batch.feats
            parts.append((feats, lens, batch.label[0]))
            for k in chosen:
                key = (fold.data_folder, dataset.data_ids[k])
                self.row_of[key] = len(self.row_of)
        return parts

    def rows(self, fold: Fold, split: str) -> torch.Tensor:
        """Where the utterances of a set lie.

        Arguments
        ---------
        fold : Fold
        split : str

        Returns
        -------
        torch.Tensor
            int64, one per utterance in the dataset's order.
        """
        return torch.tensor(
            [
                self.row_of[fold.data_folder, name]
                for name in fold.datasets[split].data_ids
            ]
        )
