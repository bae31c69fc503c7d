"""The frame of every preparer: do nothing, or write all manifests.

A preparer reads its corpus's labels and knows its rules; whether the manifests
on the disk still fit, what is logged, and that no set comes out empty is the
same for all.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.manifest import (
    count_table,
    stale_reason,
    write_manifests,
)

logger = get_logger(__name__)


def prepare_if_stale(
    corpus, data_folder, save_folder, made_from, splits, labels, make, key="emo"
):
    """Writes a corpus's manifests unless those on the disk are current.

    Arguments
    ---------
    corpus : str
        Its name, for the log.
    data_folder : str or os.PathLike
        Where its files are, for messages.
    save_folder : str or os.PathLike
        Where the manifests go.
    made_from : dict
        Options and data, see ``fingerprint``.
    splits : iterable of str
        The manifests to write.
    labels : list of str
        The classes, in order.
    make : callable
        Takes nothing and returns split -> {utterance -> entry}. Called only
        if it is needed: it is what takes time.
    key : str
        The entries' key that holds the label.

    Returns
    -------
    bool
        Whether anything was written.

    Raises
    ------
    ValueError
        When a split has no utterance.

    Example
    -------
    >>> from speechbrain_hrf.dataio.manifest import fingerprint
    >>> folder = getfixture("tmpdir").strpath
    >>> made_from = fingerprint({"fold": 1}, folder, files=[])
    >>> def make():
    ...     return {"train": {"a": {"wav": "{data_root}/a.wav", "emo": "sad"}}}
    >>> arguments = ("demo", folder, folder, made_from, ["train"], ["sad"])
    >>> prepare_if_stale(*arguments, make), prepare_if_stale(*arguments, make)
    (True, False)
    """
    reason = stale_reason(save_folder, splits, made_from)
    if reason is None:
        logger.info("%s: the manifests in %s are current", corpus, save_folder)
        return False
    logger.info("%s: preparing %s, because %s", corpus, save_folder, reason)
    what = ", ".join(f"{k} {v}" for k, v in made_from["options"].items())
    manifests = make()
    for split in splits:
        if not manifests.get(split):
            raise ValueError(
                f"{data_folder} has no usable audio for the {split} set of "
                f"{corpus} ({what}). Is it the whole corpus?"
            )
    write_manifests(save_folder, manifests, made_from)
    table = count_table(manifests, labels, key)
    logger.info("%s (%s):\n%s", corpus, what, table)
    return True
