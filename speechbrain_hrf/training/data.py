"""Labels and features of the utterances; features are kept and normalised.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
from collections.abc import Callable, Mapping, Sequence

import torch
from speechbrain.dataio.dataset import DynamicItemDataset, add_dynamic_item
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_hrf.dataio.features.cache import cached_features
from speechbrain_hrf.dataio.features.key import (
    feature_settings,
    features_made_from,
)
from speechbrain_hrf.lobes.hubert import HubertFrames
from speechbrain_hrf.training.features import keeps_features

logger = get_logger(__name__)


def add_items(
    datasets: Mapping[str, DynamicItemDataset],
    encoder: CategoricalEncoder,
    segment: Callable[..., torch.Tensor],
    data_folder: str,
    feature_folder: str | os.PathLike[str] | None = None,
    cache_features: bool | None = None,
    takes: Sequence[str] = ("wav",),
    label: str = "emo",
) -> None:
    """Gives every utterance ``label`` and ``feats``.

    Arguments
    ---------
    datasets : dict of str: speechbrain.dataio.dataset.DynamicItemDataset
        Split to utterances.
    encoder : speechbrain.dataio.encoder.CategoricalEncoder
        With all classes, see ``add_labels``.
    segment, data_folder, feature_folder, cache_features, takes
        See ``add_features``.
    label : str
        Key of the manifests that holds the class.

    Raises
    ------
    OSError, ValueError
        Those of ``add_labels`` and ``add_features``.

    Example
    -------
    >>> dataset = DynamicItemDataset({"a": {"wav": "a.wav", "emo": "sad"}})
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["happy", "sad"])
    >>> add_items({"train": dataset}, encoder, lambda x: torch.ones(5, 78), "/")
    >>> dataset.set_output_keys(["feats", "label"])
    >>> dataset[0]["feats"].shape, dataset[0]["label"]
    (torch.Size([5, 78]), tensor([1]))
    """
    add_labels(datasets, encoder, label)
    add_features(
        datasets, segment, data_folder, feature_folder, cache_features, takes
    )


def add_labels(
    datasets: Mapping[str, DynamicItemDataset],
    encoder: CategoricalEncoder,
    takes: str,
) -> None:
    """Gives every utterance ``label``, the index of its class.

    Arguments
    ---------
    datasets : dict of str: speechbrain.dataio.dataset.DynamicItemDataset
        Split to utterances.
    encoder : speechbrain.dataio.encoder.CategoricalEncoder
        With all classes.
    takes : str
        Key of the manifests that holds the class.

    Raises
    ------
    ValueError
        If an utterance of any split has a class that the encoder lacks:
        SpeechBrain would say so when it comes to it, perhaps after training.

    Example
    -------
    >>> dataset = DynamicItemDataset({"a": {"emo": "sad"}})
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["happy", "sad"])
    >>> add_labels({"train": dataset}, encoder, takes="emo")
    >>> dataset.set_output_keys(["label"])
    >>> dataset[0]["label"]
    tensor([1])
    """
    for split, dataset in datasets.items():
        for name, entry in dataset.data.items():
            try:
                encoder.encode_label(entry[takes])
            except (KeyError, TypeError):  # a list is no key at all
                found = f"no {takes!r}"
                if takes in entry:
                    found = f"{takes!r} is {entry[takes]!r}"
                known = ", ".join(str(label) for label in encoder.lab2ind)
                raise ValueError(
                    f"Utterance {name!r} in the manifest of the {split} set: "
                    f"{found}, and the recipe's classes are {known}. Add it to "
                    "them, or leave such utterances out where the recipe "
                    "prepares its corpus."
                ) from None
    add_dynamic_item(
        list(datasets.values()), encoder.encode_label_torch, takes, "label"
    )


def add_features(
    datasets: Mapping[str, DynamicItemDataset],
    segment: Callable[..., torch.Tensor],
    data_folder: str,
    feature_folder: str | os.PathLike[str] | None = None,
    cache_features: bool | None = None,
    takes: Sequence[str] = ("wav",),
) -> None:
    """Gives every utterance ``feats``, computed once and kept if wanted.

    Arguments
    ---------
    datasets : dict of str: speechbrain.dataio.dataset.DynamicItemDataset
        Split to utterances, each with what ``segment`` takes.
    segment : callable
        An utterance's audio to features [T, F]; for the cache it has to be a
        ``SegmentFeatures``.
    data_folder : str
        What ``{data_root}`` in the manifests stands for.
    feature_folder : str or os.PathLike, optional
        Where features are kept, so that they are computed only once.
    cache_features : bool, optional
        Whether they are kept; otherwise they are computed whenever an
        utterance is used. Default: if there is a folder.
    takes : sequence of str
        Keys of the manifests that ``segment`` takes, a path first.

    Raises
    ------
    ValueError
        If features are to be kept and it is not said where.
    OSError
        If the features cannot be written.

    Example
    -------
    >>> dataset = DynamicItemDataset({"a": {"wav": "a.wav"}})
    >>> add_features({"train": dataset}, lambda path: torch.zeros(5, 78), "/")
    >>> dataset.set_output_keys(["feats"])
    >>> dataset[0]["feats"].shape
    torch.Size([5, 78])
    """
    if cache_features is None:
        cache_features = feature_folder is not None
    # Bound methods and callable objects, unlike closures, can be sent to the
    # workers of a data loader on every platform.
    if not keeps_features(cache_features, feature_folder):
        if isinstance(getattr(segment, "compute_features", None), HubertFrames):
            logger.warning(
                "HuBERT's features are not kept: they are computed anew in "
                "every epoch, which takes far longer than training. Set "
                "cache_features to True to compute them only once."
            )
        add_dynamic_item(list(datasets.values()), segment, list(takes), "feats")
        return
    settings = feature_settings(segment)
    for split, dataset in datasets.items():
        clips = {
            name: tuple(entry[key] for key in takes)
            for name, entry in dataset.data.items()
        }
        made_from = features_made_from(settings, clips, data_folder)
        features = cached_features(
            feature_folder, split, clips, segment, made_from
        )
        dataset.add_dynamic_item(features, takes="id", provides="feats")


def fit_normalisation(
    mean_var_norm: InputNormalization, dataset: DynamicItemDataset
) -> None:
    """Estimates global mean and deviation of the features, once and for all.

    SpeechBrain updates them during the first epoch, so that its batches are
    normalised by what has been seen so far; a pass over the training set
    beforehand makes them exact and independent of the seed.

    Arguments
    ---------
    mean_var_norm : speechbrain.processing.features.InputNormalization
        With norm_type "global" and update_until_epoch 1, so that the epochs
        from 1 on leave it as it is; changed in place. Others need no fitting.
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The training set, giving ``feats``.

    Example
    -------
    >>> norm = InputNormalization(norm_type="global", update_until_epoch=1)
    >>> fit_normalisation(norm, [{"feats": torch.tensor([[1.0], [3.0]])}])
    >>> norm.glob_mean
    tensor([2.])
    """
    if mean_var_norm.norm_type != "global":
        return
    mean_var_norm.train()
    for item in tqdm(dataset, desc="normalisation", disable=None):
        mean_var_norm(item["feats"].unsqueeze(0), epoch=0)
