"""Numbers as C.

Authors
 * The speechbrain_hrf authors 2026
"""

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def array(kind: str, name: str, values: Array) -> str:
    """A constant array, of one or more dimensions.

    Arguments
    ---------
    kind : str
        The type of its elements; ``float`` or an integer type.
    name : str
    values : numpy.ndarray

    Returns
    -------
    str

    Example
    -------
    >>> print(array("float", "half", np.array([[0.5, 1e-10]])))
    static const float half[1][2] = {
        {0.5f, 1.00000001e-10f}};
    """
    sizes = "".join(f"[{size}]" for size in values.shape)
    return f"static const {kind} {name}{sizes} = {_braces(kind, values)};"


def number(value: float) -> str:
    """A float constant that C reads as the same float32.

    Arguments
    ---------
    value : float

    Returns
    -------
    str

    Example
    -------
    >>> number(1.0), number(0.1), number(-3e20)
    ('1.0f', '0.100000001f', '-3.00000006e+20f')
    """
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def string(value: str) -> str:
    """A string constant; what is not ASCII, as bytes of UTF-8.

    Arguments
    ---------
    value : str

    Returns
    -------
    str

    Example
    -------
    >>> print(string('a "b" ü?'))
    "a \\042b\\042 \\303\\274\\077"
    """
    plain = {*range(32, 127)} - {*b'"\\?'}
    found = "".join(
        chr(byte) if byte in plain else f"\\{byte:03o}"
        for byte in value.encode()
    )
    return f'"{found}"'


def _braces(kind: str, values: Array) -> str:
    if values.ndim > 1:
        rows = ",\n".join(_braces(kind, row) for row in values)
        return "{\n" + textwrap.indent(rows, "    ") + "}"
    texts = [number(v) if kind == "float" else str(int(v)) for v in values]
    lines = textwrap.wrap(", ".join(texts), 74)
    if len(lines) < 2:
        return "{" + "".join(lines) + "}"
    return "{\n" + textwrap.indent("\n".join(lines), "    ") + "}"
