"""SpeechBrain's features and their normalisation, as tables for C.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import Any

import numpy as np
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import Filterbank, InputNormalization

from speechbrain_hrf.export.c.text import Array

# How Fbank sets up its parts; C is written for this alone.
_STFT = {
    "center": True,
    "pad_mode": "constant",
    "normalized_stft": False,
    "onesided": True,
}
_BANK = {"log_mel": True, "multiplier": 10, "ref_value": 1.0}
_REFUSAL = "Export without --c, or train on what it takes."


def check_front_end(fbank: Any, norm: Any) -> None:
    """Refuses features and normalisations that C is not written for.

    Arguments
    ---------
    fbank, norm : torch.nn.Module
        compute_features and mean_var_norm.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_front_end(Fbank(n_mels=26), InputNormalization())
    Traceback (most recent call last):
    ...
    ValueError: compute_features has deltas=False, but C takes True. ...
    """
    _check_class("compute_features", fbank, Fbank)
    _check_class("mean_var_norm", norm, InputNormalization)
    stft, bank = fbank.compute_STFT, fbank.compute_fbanks
    for part, owner, settings in (
        ("compute_features", fbank, {"deltas": True, "context": False}),
        ("compute_features' STFT", stft, _STFT),
        ("compute_features' filter bank", bank, _BANK),
        ("compute_features' Deltas", fbank.compute_deltas, {"n": 2}),
        ("mean_var_norm", norm, {"norm_type": "global", "length_dim": 1}),
    ):
        for name, wanted in settings.items():
            found = getattr(owner, name)
            if found != wanted:
                raise ValueError(
                    f"{part} has {name}={found!r}, but C takes {wanted!r}. "
                    f"{_REFUSAL}"
                )
    if stft.n_fft % 2 or not stft.hop_length <= stft.n_fft // 2:
        raise ValueError(
            f"compute_features has frames of {stft.n_fft} samples every "
            f"{stft.hop_length}; C takes an even number, and a hop of half of "
            f"it at most. {_REFUSAL}"
        )
    if stft.win_length > stft.n_fft:
        raise ValueError(
            f"The window of {stft.win_length} samples is longer than n_fft, "
            f"{stft.n_fft}: raise n_fft, or shorten win_length."
        )


def _check_class(key: str, module: Any, wanted: type) -> None:
    # A subclass that only sets options is fine.
    if getattr(type(module), "forward", None) is not wanted.forward:  # type: ignore[attr-defined]
        raise ValueError(
            f"{key} is {type(module).__name__}; C is written for SpeechBrain's "
            f"{wanted.__name__}. {_REFUSAL}"
        )


def front_end_sizes(fbank: Fbank) -> dict[str, int | float]:
    """What the C sources call by a name in capitals.

    Arguments
    ---------
    fbank : speechbrain.lobes.features.Fbank
        One that ``check_front_end`` accepts.

    Returns
    -------
    dict

    Example
    -------
    >>> front_end_sizes(Fbank(n_mels=26, deltas=True))["N1"]
    20
    """
    stft, bank = fbank.compute_STFT, fbank.compute_fbanks
    first, second = _factors(stft.n_fft)
    return {
        "FFT": stft.n_fft,
        "N1": first,
        "N2": second,
        "EDGE": -(-(stft.n_fft // 2) // stft.hop_length),
        "MELS": bank.n_mels,
        "FEATURES": 3 * bank.n_mels,
        "LEAST_POWER": float(bank.amin),
        "TOP_DECIBELS": float(bank.top_db),
    }


def front_end_tables(
    fbank: Fbank, norm: InputNormalization
) -> dict[str, Array]:
    """The arrays that the C sources refer to.

    Arguments
    ---------
    fbank : speechbrain.lobes.features.Fbank
    norm : speechbrain.processing.features.InputNormalization
        Two that ``check_front_end`` accepts.

    Returns
    -------
    dict
        Integers where the elements are; all others are to be float.

    Example
    -------
    >>> import torch
    >>> norm = InputNormalization()
    >>> _ = norm(torch.rand(2, 9, 24), torch.ones(2))
    >>> tables = front_end_tables(Fbank(n_mels=8, deltas=True), norm)
    >>> tables["cosines2"].shape, int(tables["filter_sizes"].sum())
    ((20, 20), 293)
    """
    stft = fbank.compute_STFT
    size = stft.n_fft
    first, second = _factors(size)
    k1 = np.arange(first // 2 + 1)
    n1, n2 = np.arange(first), np.arange(second)
    window = np.zeros(size)
    left = (size - stft.win_length) // 2
    window[left : left + stft.win_length] = stft.window.detach().cpu().double()
    one, two = (
        2 * np.pi * np.outer(a, b) / n
        for a, b, n in ((k1, n1, first), (n2, n2, second))
    )
    turn = 2 * np.pi * np.outer(k1, n2) / size
    mean, deviation = _statistics(norm, 3 * fbank.compute_fbanks.n_mels)
    return {
        "window": window / 2**15,  # samples are int16
        "cosines1": np.cos(one),
        "sines1": np.sin(one),
        "turn_cosines": np.cos(turn),
        "turn_sines": np.sin(turn),
        "cosines2": np.cos(two),
        "sines2": np.sin(two),
        **_filters(fbank.compute_fbanks),
        "feature_means": mean,
        "feature_deviations": deviation,
    }


def _factors(size: int) -> tuple[int, int]:
    # The two that are nearest to each other make the shortest sums.
    second = max(n for n in range(1, int(size**0.5) + 1) if size % n == 0)
    return size // second, second


def _filters(bank: Filterbank) -> dict[str, Array]:
    """Where each filter begins, how many bins it has, and all weights."""
    scale = 1 if bank.freeze else bank.sample_rate * bank.param_change_factor**2
    centre, band = (
        (value.detach() * scale).repeat(bank.n_stft, 1).T
        for value in (bank.f_central, bank.band)
    )
    weights = bank._create_fbank_matrix(centre, band).T.cpu().numpy()
    starts, sizes, kept = [], [], []
    for row in weights:
        bins = np.flatnonzero(row)
        start, stop = (bins[0], bins[-1] + 1) if len(bins) else (0, 0)
        starts.append(start)
        sizes.append(stop - start)
        kept.append(row[start:stop])
    return {
        "filter_starts": np.array(starts),
        "filter_sizes": np.array(sizes),
        "filter_weights": np.concatenate(kept),
    }


def _statistics(norm: InputNormalization, width: int) -> tuple[Array, Array]:
    mean, deviation = (
        np.broadcast_to(value.detach().cpu().numpy(), width)
        for value in (norm.glob_mean, norm.glob_std)
    )
    if not norm.std_norm:
        deviation = np.ones(width)
    return mean, np.maximum(deviation, norm.epsilon)
