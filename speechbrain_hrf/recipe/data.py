"""From manifests to the datasets that a Brain iterates.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    add_dynamic_item,
    set_output_keys,
)
from speechbrain.utils.distributed import run_on_main
from tqdm import tqdm


def load_splits(annotations, data_folder, segment, encoder, labels, n_classes):
    """Datasets that give ``id``, ``feats`` and ``label`` of each utterance.

    Arguments
    ---------
    annotations : dict of str: str
        Split to manifest; a manifest holds ``wav`` and ``emo`` per utterance.
    data_folder : str
        What ``{data_root}`` in the manifests stands for.
    segment : callable
        Path of an audio file to features [T, F].
    encoder : speechbrain.dataio.encoder.CategoricalEncoder
        Gets the labels in the order given: indices must not depend on the
        split or on a seed. Left as it is if it has them already.
    labels : list of str
        The classes in the order of their indices.
    n_classes : int
        Outputs of the classifier.

    Raises
    ------
    ValueError
        If the classifier has another number of outputs.

    Returns
    -------
    dict of str: speechbrain.dataio.dataset.DynamicItemDataset

    Example
    -------
    >>> import torch
    >>> from speechbrain.dataio.encoder import CategoricalEncoder
    >>> folder = getfixture("tmpdir")
    >>> manifest = folder.join("train.json")
    >>> manifest.write('{"a": {"wav": "{data_root}/a.wav", "emo": "sad"}}')
    >>> encoder = CategoricalEncoder()
    >>> datasets = load_splits({"train": manifest.strpath}, "/data",
    ...     lambda path: torch.zeros(5, 78), encoder, ["neu", "sad"], 2)
    >>> datasets["train"][0]["label"], datasets["train"][0]["feats"].shape
    (tensor([1]), torch.Size([5, 78]))
    """
    if n_classes != len(labels):
        raise ValueError(
            f"n_classes is {n_classes}, but the corpus has {len(labels)} "
            f"classes ({', '.join(labels)})."
        )
    encoder.update_from_iterable(labels)
    encoder.expect_len(len(labels))
    datasets = {
        split: DynamicItemDataset.from_json(
            path, replacements={"data_root": data_folder}
        )
        for split, path in annotations.items()
    }
    everything = list(datasets.values())
    # Bound methods and callable objects, unlike closures, can be sent to the
    # workers of a data loader on every platform.
    add_dynamic_item(everything, segment, takes="wav", provides="feats")
    add_dynamic_item(
        everything, encoder.encode_label_torch, takes="emo", provides="label"
    )
    set_output_keys(everything, ["id", "feats", "label"])
    return datasets


def fit_normalisation(mean_var_norm, dataset):
    """Estimates global mean and deviation of the features, once and for all.

    SpeechBrain updates them during the first epoch, so that its batches are
    normalised by what has been seen so far; a pass over the training set
    beforehand makes them exact and independent of the seed. It also computes
    the features that ``SegmentFeatures`` keeps.

    Arguments
    ---------
    mean_var_norm : speechbrain.processing.features.InputNormalization
        With norm_type "global" and update_until_epoch 1, so that the epochs
        from 1 on leave it as it is; changed in place. Others need no fitting.
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The training set, giving ``feats``.

    Example
    -------
    >>> import torch
    >>> from speechbrain.processing.features import InputNormalization
    >>> norm = InputNormalization(norm_type="global", update_until_epoch=1)
    >>> fit_normalisation(norm, [{"feats": torch.tensor([[1.0], [3.0]])}])
    >>> norm.glob_mean
    tensor([2.])
    """
    if mean_var_norm.norm_type != "global":
        return
    mean_var_norm.train()
    for item in tqdm(dataset, desc="features", disable=None):
        mean_var_norm(item["feats"].unsqueeze(0), epoch=0)


def save_labels(encoder, path):
    """Writes the label encoder, on the main process only.

    Arguments
    ---------
    encoder : speechbrain.dataio.encoder.CategoricalEncoder
    path : str

    Example
    -------
    >>> from speechbrain.dataio.encoder import CategoricalEncoder
    >>> path = getfixture("tmpdir").join("label_encoder.txt")
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["neu", "sad"])
    >>> save_labels(encoder, path.strpath)
    >>> path.check()
    True
    """
    run_on_main(encoder.save, args=[path])
