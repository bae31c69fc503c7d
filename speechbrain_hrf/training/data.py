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
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_hrf.dataio.feature_cache import cached_features
from speechbrain_hrf.dataio.feature_key import (
    feature_settings,
    features_made_from,
)
from speechbrain_hrf.lobes.hubert import HubertFrames
from speechbrain_hrf.training.features import keeps_features

logger = get_logger(__name__)


def load_splits(
    annotations,
    data_folder,
    segment,
    encoder,
    labels,
    n_classes,
    takes=("wav",),
    label_key="emo",
    feature_folder=None,
    cache_features=None,
):
    """Datasets that give ``id``, ``feats`` and ``label`` of each utterance.

    Arguments
    ---------
    annotations : dict of str: str
        Split to manifest; a manifest holds what ``segment`` takes, and a
        label, per utterance.
    data_folder : str
        What ``{data_root}`` in the manifests stands for.
    segment : callable
        An utterance's audio to features [T, F]; for the cache it has to be a
        ``SegmentFeatures``.
    encoder : speechbrain.dataio.encoder.CategoricalEncoder
        Gets the labels in the order given: indices must not depend on the
        split or on a seed. Left as it is if it has them already.
    labels : list of str
        The classes in the order of their indices.
    n_classes : int
        Outputs of the classifier.
    takes : sequence of str
        Keys of the manifests that ``segment`` takes, a path first.
    label_key : str
        Key of the manifests that holds the label.
    feature_folder : str, optional
        Where features are kept, so that they are computed only once.
    cache_features : bool, optional
        Whether they are kept; otherwise they are computed whenever an
        utterance is used. Default: if there is a folder.

    Returns
    -------
    dict of str: speechbrain.dataio.dataset.DynamicItemDataset

    Raises
    ------
    ValueError
        If the classifier has another number of outputs, or if features are to
        be kept and it is not said where.
    OSError
        If the features cannot be written.

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
    if cache_features is None:
        cache_features = feature_folder is not None
    keeps = keeps_features(cache_features, feature_folder)
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
    if not keeps:
        if isinstance(getattr(segment, "compute_features", None), HubertFrames):
            logger.warning(
                "HuBERT's features are not kept: they are computed anew in "
                "every epoch, which takes far longer than training. Set "
                "cache_features to True to compute them only once."
            )
        add_dynamic_item(everything, segment, list(takes), "feats")
    else:
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
    add_dynamic_item(
        everything,
        encoder.encode_label_torch,
        takes=label_key,
        provides="label",
    )
    set_output_keys(everything, ["id", "feats", "label"])
    return datasets


def fit_normalisation(mean_var_norm, dataset):
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
    for item in tqdm(dataset, desc="normalisation", disable=None):
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
