"""The command line's arguments.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse

from speechbrain_hrf.runtime.combine import COMBINATIONS
from speechbrain_hrf.runtime.pcm import ENCODINGS

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
    parser.add_argument("--threads", type=int, default=1, metavar="N")
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
        "--window", type=float, metavar="S", help="(default: as in training)"
    )
    group.add_argument(
        "--hop", type=float, metavar="S", help="(default: the model's, 1 s)"
    )
    group.add_argument(
        "--combine",
        choices=(*COMBINATIONS, "none"),
        help="how windows become one label so far (default: mean)",
    )


def _add_standard_input(parser):
    group = parser.add_argument_group("bare samples from standard input")
    group.add_argument(
        "--rate", type=int, metavar="HZ", help="(default: the model's)"
    )
    group.add_argument("--channels", type=int, metavar="N", help="(default: 1)")
    group.add_argument("--encoding", choices=ENCODINGS, help="(default: s16le)")


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
    if options.channels is not None and options.channels < 1:
        parser.error(f"--channels is {options.channels}: give 1 or more")
