"""Exports a trained model from the command line.

    hrf export <checkpoint or output folder> <target>

With ``--onnx`` the folder also holds the model for ONNX Runtime, with ``--c``
as C for a microcontroller.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import sys
from collections.abc import Sequence

from speechbrain_hrf.export.onnx import PRECISIONS
from speechbrain_hrf.export.pretrained import export_pretrained
from speechbrain_hrf.export.verify import VerificationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the export and prints what came out of it.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error (2 for wrong arguments).

    Example
    -------
    >>> main(["results/none", "model"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="hrf export",
        description="Exports a trained model, merged, as a folder that "
        "SpeechBrain's EncoderClassifier loads.",
    )
    parser.add_argument(
        "source", help="output folder of a training, or a checkpoint in it"
    )
    parser.add_argument(
        "target", help="folder to write: new, empty, or an earlier export"
    )
    parser.add_argument(
        "--audio",
        nargs="+",
        metavar="FILE",
        help="verify on these files (default: some of the test set)",
    )
    parser.add_argument(
        "--onnx",
        action="store_true",
        help="also write model.onnx (waveform in), model.features.onnx and "
        'manifest.json; needs pip install "speechbrain-hrf[onnx]"',
    )
    parser.add_argument(
        "--c",
        action="store_true",
        help="also write hrf_model.h and hrf_model.c (C99, waveform in), for a "
        "microcontroller; with --int8 hrf_model_int8.c too",
    )
    for name in PRECISIONS:
        parser.add_argument(
            f"--{name}",
            dest="precisions",
            action="append_const",
            const=name,
            default=[],
            help=f"with --onnx: also model.{name}.onnx, its parameters stored "
            f"as {name}, if that is a gain on the test set",
        )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="with --onnx and --int8 or --fp16: keep such a file even if it is "
        "no gain",
    )
    options = parser.parse_args(arguments)
    try:
        report = export_pretrained(
            options.source,
            options.target,
            options.audio,
            options.onnx,
            options.precisions,
            options.keep,
            options.c,
        )
    except (ImportError, OSError, ValueError, VerificationError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
