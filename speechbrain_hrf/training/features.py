"""Which features a recipe trains on: its own Fbank, or HuBERT's.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import os

from speechbrain_hrf.lobes.hubert import read_geometry
from speechbrain_hrf.training.overrides import (
    as_overrides,
    read_overrides,
    resolved_yaml,
    tagged,
)

_HUBERT = (
    "!new:speechbrain_hrf.lobes.hubert.HubertFrames "
    "[!ref <hubert_source>, !ref <sample_rate>]"
)
# SpeechBrain's Fbank has a frame every 10 ms if nothing is said.
_FBANK_HOP_MS = 10


def use_hubert(hparams_file: str, overrides: str) -> str:
    """Puts HuBERT in the place of Fbank where ``features`` asks for it.

    ``compute_features`` becomes a ``HubertFrames``, ``n_feats`` what the model
    gives, and ``segment_frames`` its frames in the time of the YAML's segment;
    of the latter two, what is overridden stays. The options of the cache, too,
    are checked here, before any work is done.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``features`` (fbank or hubert),
        ``hubert_source``, ``sample_rate``, ``segment_frames`` and
        ``compute_features``, a SpeechBrain ``Fbank``.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Raises
    ------
    ImportError
        If transformers is needed and not installed.
    OSError
        If the model cannot be loaded.
    ValueError
        If ``features`` is something else, or contradicts the overrides; or if
        ``keeps_features`` refuses the options of the cache.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("config.json").write('{"model_type": "hubert"}')
    >>> folder.join("x.yaml").write('''features: fbank
    ... hubert_source: facebook/hubert-base-ls960
    ... sample_rate: 16000
    ... segment_frames: 500
    ... compute_features: !new:speechbrain.lobes.features.Fbank
    ...     deltas: True''')
    >>> yaml = folder.join("x.yaml").strpath
    >>> use_hubert(yaml, "seed: 1")
    'seed: 1'
    >>> overrides = f"{{features: hubert, hubert_source: {folder}}}"
    >>> changed = read_overrides(use_hubert(yaml, overrides))
    >>> changed["n_feats"], changed["segment_frames"]
    (768, 249)
    """
    resolved = resolved_yaml(hparams_file, overrides)
    if "cache_features" in resolved:
        keeps_features(
            resolved["cache_features"], resolved.get("feature_folder")
        )
    features = resolved["features"]
    if features == "fbank":
        return overrides
    if features != "hubert":
        raise ValueError(f"features is {features}: it must be fbank or hubert.")
    changed = read_overrides(overrides)
    if "compute_features" in changed:
        raise ValueError(
            "compute_features is overridden, and features is hubert, which "
            "stands for other ones: leave out one of the two."
        )
    geometry = read_geometry(resolved["hubert_source"])
    hop = resolved["compute_features"].get("hop_length", _FBANK_HOP_MS) / 1000
    seconds = (resolved["segment_frames"] - 1) * hop
    samples = round(seconds * resolved["sample_rate"])
    changed["compute_features"] = tagged(_HUBERT)
    changed.setdefault("n_feats", geometry.n_feats)
    changed.setdefault("segment_frames", geometry.frames_for(samples))
    return as_overrides(changed)


def whole_frames(hparams_file: str, overrides: str) -> str:
    """Makes ``segment_frames`` an int where it comes out as 550.0.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML.
    overrides : str
        As ``use_hubert`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        If it is no whole number, or below 1.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("seconds: 5\\nsegment_frames: !ref <seconds> * 100")
    >>> print(whole_frames(yaml.strpath, "seconds: 5.5"))
    seconds: 5.5
    segment_frames: 550
    >>> whole_frames(yaml.strpath, "seconds: 5.555")
    Traceback (most recent call last):
        ...
    ValueError: segment_frames is 555.5: it must be a whole number, 1 or more.
    """
    frames = resolved_yaml(hparams_file, overrides).get("segment_frames", 1)
    is_number = isinstance(frames, int | float) and 1 <= frames < math.inf
    # 0.29 * 100 is 28.999999999999996.
    if not is_number or not math.isclose(frames, round(frames)):
        raise ValueError(
            f"segment_frames is {frames}: it must be a whole number, 1 or more."
        )
    if isinstance(frames, int):
        return overrides
    whole = {"segment_frames": round(frames)}
    return as_overrides({**read_overrides(overrides), **whole})


def keeps_features(
    cache_features: bool, feature_folder: str | os.PathLike[str] | None
) -> bool:
    """Whether features are kept, and in a folder; refuses other values.

    Arguments
    ---------
    cache_features : bool
        Whether features are kept on the disk.
    feature_folder : str or os.PathLike
        Where. Not looked at if they are not kept.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If it is not said whether, or not where.

    Example
    -------
    >>> keeps_features(True, "results/features"), keeps_features(False, None)
    (True, False)
    >>> keeps_features("False", "results/features")
    Traceback (most recent call last):
        ...
    ValueError: cache_features is 'False': it must be True or False.
    """
    if not isinstance(cache_features, bool):
        raise ValueError(
            f"cache_features is {cache_features!r}: it must be True or False."
        )
    is_path = isinstance(feature_folder, str | os.PathLike)
    if cache_features and not (is_path and os.fspath(feature_folder)):
        raise ValueError(
            f"feature_folder is {feature_folder!r}: give a folder to keep the "
            "features in, or set cache_features to False to compute them anew "
            "in every epoch."
        )
    return cache_features
