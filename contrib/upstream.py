#!/usr/bin/env python3
"""Assembles four pull requests to SpeechBrain in a checkout of it.

    python contrib/upstream.py CHECKOUT [--only hrf|ravdess|iemocap|checkpoints]
    python contrib/upstream.py CHECKOUT --check

The first makes the branches `pr/hrf`, `pr/ravdess`, `pr/iemocap` and
`pr/checkpoints`; with `--check` SpeechBrain's own gates judge them, and a
table says what passed. See contrib/README.md.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import argparse
import sys

import gates
from change_sets import CHANGE_SETS
from checkout import Checkout, Refused


def main(arguments: list[str]) -> int:
    """Runs the command.

    Arguments
    ---------
    arguments : list of str
        Of the command line.

    Returns
    -------
    int
        Exit status: 1 if a gate failed, 2 if nothing was written.

    Example
    -------
    >>> main(["/none"])
    2
    """
    parser = argparse.ArgumentParser(
        description="Assembles pull requests in a checkout of SpeechBrain."
    )
    parser.add_argument("checkout", help="SpeechBrain's git checkout")
    parser.add_argument("--only", choices=CHANGE_SETS, help="one of them")
    parser.add_argument(
        "--check",
        action="store_true",
        help="run SpeechBrain's gates on the branches (takes minutes)",
    )
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else list(CHANGE_SETS)
    try:
        checkout = Checkout(options.checkout)
        for name in names:
            branch, stat = checkout.assemble(name)
            needs = CHANGE_SETS[name].needs
            on = f"pr/{needs}" if needs else "HEAD"
            print(f"{branch} (on {on}): {stat}")
        if not options.check:
            return 0
        found = gates.check(checkout, names)
    except Refused as error:
        print(error, file=sys.stderr)
        return 2
    print(gates.table(found, names))
    if warning := gates.ruff_warning():
        print(warning)
    outcomes = [x for by_name in found.values() for x in by_name.values()]
    return int(gates.FAILED in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
