"""The command ``hrf``: a word for each thing that the package does.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

# What each does, and where its function (arguments -> exit status) is.
COMMANDS = {
    "export": (
        "a trained folder to one that is shipped",
        "export.__main__",
        "main",
    ),
    "verify": (
        "whether an exported folder is as it was",
        "runtime.checksums",
        "main",
    ),
    "push": (
        "an exported folder to the Hugging Face Hub",
        "export.push",
        "main",
    ),
    "classify": ("sound, by an exported model", "runtime.__main__", "main"),
    "demo": ("an exported model in a browser", "demo.__main__", "main"),
    "study": ("many trainings, from a YAML", "studies.command", "study"),
    "report": ("what a study's trainings say", "studies.command", "report"),
    "profile": ("a model's parameters and MACs", "inference.profile", "main"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one of the commands.

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's, which then is the command's own.

    Returns
    -------
    int
        Exit status.

    Example
    -------
    >>> main([])
    hrf COMMAND ... (each explains itself: hrf COMMAND --help)
      export    a trained folder to one that is shipped
      verify    whether an exported folder is as it was
      push      an exported folder to the Hugging Face Hub
      classify  sound, by an exported model
      demo      an exported model in a browser
      study     many trainings, from a YAML
      report    what a study's trainings say
      profile   a model's parameters and MACs
    0
    """
    is_program = argv is None
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print("hrf COMMAND ... (each explains itself: hrf COMMAND --help)")
        for name, (what, _, _) in COMMANDS.items():
            print(f"  {name:<9} {what}")
        return 0
    if argv[0] not in COMMANDS:
        return _refuse(
            f"There is no command {argv[0]!r}. There are: "
            f"{', '.join(COMMANDS)}."
        )
    # As `python -m` has it: a recipe's model may lie where the command is run.
    try:
        here = os.getcwd()
    except OSError as error:
        return _refuse(
            f"The current folder is gone or closed ({error.strerror}): change "
            "to another one, such as by cd."
        )
    if here not in sys.path:
        sys.path.append(here)
    _, place, function = COMMANDS[argv[0]]
    try:
        module = importlib.import_module(f"speechbrain_hrf.{place}")
    except ModuleNotFoundError as error:
        if not error.name:
            raise
        if not f"{error.name}.".startswith("speechbrain_hrf."):
            return _refuse(
                f"hrf {argv[0]} needs {error.name}, which is not installed: "
                "pip install speechbrain-hrf"
            )
        return _refuse(
            f"hrf {argv[0]} is not in speechbrain-hrf-runtime, which runs "
            "exported models only. It is in the whole package: pip install "
            "speechbrain-hrf."
        )
    if is_program and hasattr(module, "be_a_program"):
        module.be_a_program()
    return getattr(module, function)(argv[1:]) or 0


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 2
