"""The command line's arguments.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse

from speechbrain_hrf.runtime.combine import COMBINATIONS
from speechbrain_hrf.runtime.pcm import ENCODINGS
from speechbrain_hrf.runtime.waveform import checked_rate

STANDARD_INPUT = "-"

_EXAMPLES = """\
examples:
  python -m speechbrain_hrf.runtime MODEL speech.wav recordings/
  python -m speechbrain_hrf.runtime MODEL long.wav --stream --hop 0.5
  arecord -q -f S16_LE -r 16000 | python -m speechbrain_hrf.runtime MODEL - \\
      --stream --format jsonl
"""


def parse(arguments=None):
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
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_hrf.runtime",
        description="Classifies recordings with an exported model, without "
        "PyTorch and SpeechBrain.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", help="folder with model.onnx, manifest.json")
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="input",
        help="audio file, folder of such, or - for standard input: a WAV "
        "file, or bare samples",
    )
    parser.add_argument(
        "--format",
        choices=("text", "jsonl", "csv"),
        default="text",
        help="of the output (default: text)",
    )
    parser.add_argument("--graph", default="model.onnx", metavar="FILE")
    parser.add_argument("--threads", type=_count, default=1, metavar="N")
    _add_stream(parser)
    _add_standard_input(parser)
    options = parser.parse_args(arguments)
    _check(parser, options)
    return options


def _add_stream(parser):
    group = parser.add_argument_group("results over time")
    group.add_argument(
        "--stream",
        action="store_true",
        help="a result at every hop, for the window before it, instead of one "
        "for the whole recording",
    )
    group.add_argument(
        "--window",
        type=_seconds,
        metavar="S",
        help="(default: as in training)",
    )
    group.add_argument(
        "--hop", type=_seconds, metavar="S", help="(default: the model's, 1 s)"
    )
    group.add_argument(
        "--combine",
        choices=(*COMBINATIONS, "none"),
        help="how windows become one label so far (default: mean)",
    )


def _add_standard_input(parser):
    group = parser.add_argument_group("bare samples from standard input")
    group.add_argument(
        "--rate", type=_rate, metavar="HZ", help="(default: the model's)"
    )
    group.add_argument(
        "--channels", type=_count, metavar="N", help="(default: 1)"
    )
    group.add_argument("--encoding", choices=ENCODINGS, help="(default: s16le)")


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give 1 or more")
    return int(text)


def _rate(text):
    try:
        return checked_rate(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give seconds, more than 0")
    return seconds


def _check(parser, options):
    def given(*names):
        return [f"--{n}" for n in names if getattr(options, n) is not None]

    streams = given("window", "hop", "combine")
    if streams and not options.stream:
        parser.error(f"{', '.join(streams)}: only with --stream")
    bare = given("rate", "channels", "encoding")
    inputs = options.inputs.count(STANDARD_INPUT)
    if bare and not inputs:
        parser.error(f"{', '.join(bare)}: only with {STANDARD_INPUT} as input")
    if inputs > 1:
        parser.error(f"{STANDARD_INPUT} can be read once")
