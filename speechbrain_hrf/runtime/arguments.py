"""The command line's arguments.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
from collections.abc import Sequence

from speechbrain_hrf.runtime.output import FORMATS
from speechbrain_hrf.runtime.result import COMBINATIONS
from speechbrain_hrf.runtime.wav import ENCODINGS
from speechbrain_hrf.runtime.waveform import check_rate

STANDARD_INPUT = "-"
_GRAPH = "model.onnx"

_EXAMPLES = """\
examples:
  hrf classify MODEL speech.wav recordings/
  hrf classify MODEL long.wav --stream --hop 0.5
  arecord -q -f S16_LE -r 16000 | hrf classify MODEL - \\
      --stream --format jsonl
"""
_STREAM = ("window", "hop", "combine")
_BARE = ("rate", "channels", "encoding")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads and checks them; wrong ones end the program with status 2.

    Arguments
    ---------
    arguments : list of str, optional
        Default: those of the command line.

    Returns
    -------
    argparse.Namespace

    Example
    -------
    >>> parse(["model", "a.wav", "--stream", "--hop", "0.5"]).hop
    0.5
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    inputs = options.inputs.count(STANDARD_INPUT)
    for names, applies, condition in (
        (_STREAM, options.stream, "with --stream"),
        (_BARE, inputs, f"with {STANDARD_INPUT} as input"),
    ):
        given = [f"--{n}" for n in names if getattr(options, n) is not None]
        if given and not applies:
            parser.error(f"{', '.join(given)}: only {condition}")
    if options.safe and options.graph != _GRAPH:
        parser.error("--graph: only without --safe")
    if inputs > 1:
        parser.error(f"{STANDARD_INPUT} can be read once")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hrf classify",
        description="Classifies recordings with an exported model, without "
        "PyTorch and SpeechBrain.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", help="folder with model.onnx, manifest.json; or --safe")
    add(
        "inputs",
        nargs="+",
        metavar="input",
        help="audio file, folder of such, or - for standard input: bare "
        "samples, WAV, or any other audio file (which is read to its end first)",
    )
    add("--format", choices=FORMATS, default="text", help="(default: text)")
    add(
        "--graph", default=_GRAPH, metavar="FILE", help="(default: %(default)s)"
    )
    add(
        "--safe",
        action="store_true",
        help="run model.safetensors by PyTorch, without the code that a "
        "folder may hold, in the place of an ONNX graph",
    )
    add("--threads", type=_count, default=1, metavar="N")

    add = parser.add_argument_group("results over time").add_argument
    add(
        "--stream",
        action="store_true",
        help="a result at every hop, for the window before it, instead of one "
        "for the whole recording",
    )
    add("--window", type=_seconds, metavar="S", help="(default: training's)")
    add("--hop", type=_seconds, metavar="S", help="(default: the model's, 1 s)")
    add(
        "--combine",
        choices=(*COMBINATIONS, "none"),
        help="how windows become one label so far (default: mean)",
    )

    bare = parser.add_argument_group("bare samples from standard input")
    add = bare.add_argument
    add("--rate", type=_rate, metavar="HZ", help="(default: the model's)")
    add("--channels", type=_count, metavar="N", help="(default: 1)")
    add("--encoding", choices=ENCODINGS, help="(default: s16le)")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give 1 or more")
    return int(text)


def _rate(text: str) -> int:
    try:
        return check_rate(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give seconds, more than 0")
    return seconds
