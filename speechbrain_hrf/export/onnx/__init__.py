"""The model as ONNX, with the front end inside and without.

``speechbrain_hrf.export.export_pretrained(..., onnx=True)`` writes it; this
folder makes, verifies and measures the graphs. It needs the extra ``onnx``,
so nothing of it is imported before it is asked for.

Authors
 * The speechbrain_hrf authors 2026
"""

# In which parameters may be stored besides float32.
PRECISIONS = ("int8", "fp16")


def check_precision(name: str) -> None:
    """Refuses what is no precision.

    Arguments
    ---------
    name : str

    Raises
    ------
    ValueError
        It is not one of ``PRECISIONS``.

    Example
    -------
    >>> check_precision("int4")
    Traceback (most recent call last):
    ...
    ValueError: There is no precision 'int4': give int8 or fp16.
    """
    if name not in PRECISIONS:
        raise ValueError(
            f"There is no precision {name!r}: give {' or '.join(PRECISIONS)}."
        )
