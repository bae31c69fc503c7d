"""The two C files of a model, as text.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.resources
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from speechbrain_hrf.export.c.front_end import (
    check_front_end,
    front_end_sizes,
    front_end_tables,
)
from speechbrain_hrf.export.c.model import (
    ACTIVATIONS,
    Description,
    Layer,
    Norm,
    describe,
)
from speechbrain_hrf.export.c.text import Array, array, number, string
from speechbrain_hrf.export.definition import Modules

HEADER, SOURCE, SOURCE_INT8 = "hrf_model.h", "hrf_model.c", "hrf_model_int8.c"
# Windows of a stream that may overlap: a tenth of a window is a hop's least.
_OVERLAP = 10
# Frames that derivatives reach beyond a window, on either side.
_REACH = 4


def make_sources(
    modules: Modules,
    labels: Sequence[str],
    int8: bool = False,
    sample_rate: int | None = None,
) -> dict[str, str]:
    """The model as C.

    Arguments
    ---------
    modules : dict
        compute_features, mean_var_norm, embedding_model and classifier, plain
        and in evaluation mode.
    labels : list of str
        In the order of the outputs.
    int8 : bool
        Whether to add a second source file whose weights are int8.
    sample_rate : int, optional
        Hz of the audio that it was trained on. Default what compute_features
        was told, which is 16000 where a recipe tells it nothing.

    Returns
    -------
    dict
        Text by file name: hrf_model.h, hrf_model.c, hrf_model_int8.c.

    Raises
    ------
    ValueError
        C is not written for such modules, or they hold NaN.

    Example
    -------
    >>> from speechbrain.lobes.features import Fbank
    >>> make_sources({"compute_features": Fbank(), "mean_var_norm": None}, [])
    Traceback (most recent call last):
    ...
    ValueError: mean_var_norm is NoneType; C is written for ...
    """
    fbank, norm = modules["compute_features"], modules["mean_var_norm"]
    check_front_end(fbank, norm)
    found = describe(modules["embedding_model"], modules["classifier"])
    outputs = len(found.layers["head2"].bias)
    if outputs != len(labels):
        raise ValueError(
            f"The classifier has {outputs} outputs, but there are "
            f"{len(labels)} labels: they are not of one training."
        )
    found.tables = {**front_end_tables(fbank, norm), **found.tables}
    _check_finite(found)
    kind = type(modules["embedding_model"]).__name__
    frames = modules["embedding_model"].segment_frames
    _check_window(fbank, frames)
    rate = sample_rate or fbank.compute_STFT.sample_rate
    header = _header(kind, labels, fbank, frames, rate)
    found.sizes = _all_sizes(found, fbank, frames)
    files = {HEADER: header, SOURCE: _source(found, labels, kind)}
    if int8:
        files[SOURCE_INT8] = _source(found, labels, kind, int8=True)
    return files


def quantise(weight: Array) -> tuple[Array, Array]:
    """Rows as whole numbers from -127 to 127, and what each one stands for.

    Arguments
    ---------
    weight : numpy.ndarray
        [outputs, inputs]

    Returns
    -------
    numpy.ndarray
        int8 [outputs, inputs]
    numpy.ndarray
        Scales, [outputs].

    Example
    -------
    >>> rows, scales = quantise(np.array([[0.5, -1.0], [0.0, 0.0]]))
    >>> rows.tolist(), (127 * scales).tolist()
    ([[64, -127], [0, 0]], [1.0, 127.0])
    """
    largest = np.abs(weight).max(1)
    scale = np.where(largest > 0, largest / 127, 1)
    return np.rint(weight / scale[:, None]).astype(np.int8), scale


def _check_finite(found: Description) -> None:
    # What the checkpoint holds was looked at; statistics were not.
    for name, entry in {**found.layers, **found.tables}.items():
        for part in entry if isinstance(entry, list) else [entry]:
            values = part if isinstance(part, np.ndarray) else part[:2]
            if not all(np.isfinite(value).all() for value in values):
                raise ValueError(
                    f"{name} holds NaN or infinite numbers, which no chip is "
                    "to be given: train again, or export an older checkpoint."
                )


def _check_window(fbank: Any, frames: int) -> None:
    # Zeros before a window and behind it are never in the same frame.
    n_fft, fewest = fbank.compute_STFT.n_fft, 2 * front_end_sizes(fbank)["EDGE"]
    if frames < fewest:
        raise ValueError(
            f"embedding_model has segment_frames={frames}, but C takes no "
            f"window that is shorter than n_fft={n_fft}: train on segments of "
            f"{fewest} frames or more. Or export without --c."
        )


def _header(
    kind: str, labels: Sequence[str], fbank: Any, frames: int, rate: int
) -> str:
    hop = fbank.compute_STFT.hop_length
    # Where a window begins, its first frames are noted: one window at a time.
    edge = front_end_sizes(fbank)["EDGE"]
    shortest = hop * max(-(-frames // _OVERLAP), edge)
    numbers = f"""\
        #define HRF_MODEL {string(kind)}
        #define HRF_CLASSES {len(labels)}
        #define HRF_SAMPLE_RATE {rate} /* Hz, mono */
        #define HRF_FRAMES {frames} /* of a window */
        #define HRF_HOP {hop} /* samples from frame to frame */
        #define HRF_WINDOW {(frames - 1) * hop} /* samples of a window */
        #define HRF_SHORTEST_HOP {shortest} /* samples, of a stream */"""
    text = _read("hrf_model.h")
    return text.replace("/*@header@*/", textwrap.dedent(numbers))


def _all_sizes(
    found: Description, fbank: Any, frames: int
) -> dict[str, int | float]:
    sizes = front_end_sizes(fbank)
    # The windows that have begun; and the frames of one, with those around it
    # and those at a recording's end.
    return {
        **sizes,
        "SLOTS": _OVERLAP + 2,
        "RING": frames + 2 * _REACH + sizes["EDGE"],
        **found.sizes,
    }


def _source(
    found: Description, labels: Sequence[str], kind: str, int8: bool = False
) -> str:
    weights = "int8, a scale for each output" if int8 else "float32"
    names = ",\n".join(f"    {string(label)}" for label in labels)
    parts = [
        f"/* {kind} for C99, weights {weights}. Made by the export of\n"
        " * speechbrain-hrf, together with hrf_model.h, which says how to use "
        "it. */",
        "#include <math.h>\n" + f'#include "{HEADER}"',
        f"const char *const hrf_labels[HRF_CLASSES] = {{\n{names}}};",
        "\n".join(_define(*item) for item in found.sizes.items()),
        *_write_activations(found.activations),
        "#define HRF_INT8\n" * int8 + _read("layers.c"),
        *(
            array(_kind(values), name, values)
            for name, values in found.tables.items()
        ),
        *(
            text
            for name, entry in found.layers.items()
            for text in _write_layers(name, entry, int8)
        ),
        *(
            _read(f"{name}.c")
            for name in ("state", "features", *found.sources, "interface")
        ),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _read(name: str) -> str:
    folder = importlib.resources.files(__package__) / "sources"
    return (folder / name).read_text(encoding="utf-8")


def _define(name: str, value: int | float) -> str:
    text = number(value) if isinstance(value, float) else str(value)
    return f"#define {name} {text}"


def _kind(values: Array) -> str:
    return "int16_t" if values.dtype.kind == "i" else "float"


def _write_activations(activations: Mapping[str, Any]) -> list[str]:
    defined = [
        "static float {}(float x)\n{{\n    return {};\n}}".format(
            *ACTIVATIONS[a]
        )
        for a in dict.fromkeys(activations.values())
    ]
    names = [
        f"#define {name} {ACTIVATIONS[a][0]}" for name, a in activations.items()
    ]
    return [*defined, "\n".join(names)]


def _write_layers(name: str, entry: Any, int8: bool) -> list[str]:
    if not isinstance(entry, list):
        *arrays, value = _write_layer(name, entry, int8)
        return [*arrays, f"static const {_struct(entry)} {name} = {value};"]
    found, values = [], []
    for block, part in enumerate(entry):
        *arrays, value = _write_layer(f"{name}_{block}", part, int8)
        found += arrays
        values.append(value)
    joined = ",\n    ".join(values)
    head = f"static const {_struct(entry[0])} {name}[{len(entry)}]"
    return [*found, f"{head} = {{\n    {joined}}};"]


def _struct(entry: Layer | Norm) -> str:
    return type(entry).__name__.lower()


def _write_layer(name: str, part: Layer | Norm, int8: bool) -> list[str]:
    """Its arrays, and at last its value."""
    weight, bias, scale = f"{name}_weight", f"{name}_bias", "NULL"
    found = [array("float", bias, part.bias)]
    if isinstance(part, Norm):
        found.append(array("float", weight, part.weight))
        return [*found, f"{{{weight}, {bias}, {number(part.epsilon)}}}"]
    values = part.weight
    if int8:
        scale = f"{name}_scale"
        values, scales = quantise(values)
        found.append(array("float", scale, scales))
    kind = "int8_t" if int8 else "float"
    found.append(array(kind, weight, values.ravel()))
    outputs, inputs = part.weight.shape
    return [*found, f"{{{weight}, {scale}, {bias}, {inputs}, {outputs}}}"]
