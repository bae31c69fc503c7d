"""Options that the YAML does not have, or that were given no value, are refused.

Both would end in a run that is not the one that was meant: SpeechBrain takes an
option without a value for null, and ``labels: null`` asks for the stand-in corpus.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from speechbrain_hrf.training.overrides import read_overrides, resolved_yaml


def refuse_unknown(
    argv: Sequence[str], hparams_file: str, overrides: str
) -> None:
    """Raises for an option that the YAML lacks, and for one without a value.

    Arguments
    ---------
    argv : sequence of str
        The command line.
    hparams_file : str
        The recipe's YAML.
    overrides : str
        What SpeechBrain has read from the command line.

    Raises
    ------
    ValueError
        Naming the option, and the one that may be meant.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("labels: null\\nseed: 1")
    >>> refuse_unknown([], yaml.strpath, "labels: a.csv")
    >>> refuse_unknown([], yaml.strpath, "label: a.csv")
    Traceback (most recent call last):
        ...
    ValueError: There is no option label in ...x.yaml: did you mean labels?
    """
    known = resolved_yaml(hparams_file, "")
    for key in read_overrides(overrides):
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            fix = f"did you mean {near[0]}?" if near else "look there for it."
            raise ValueError(
                f"There is no option {key} in {hparams_file}: {fix}"
            )
    for k, argument in enumerate(argv):
        value = argv[k + 1] if k + 1 < len(argv) else ""
        key, equals, given = argument.partition("=")
        if not key.startswith("--") or key[2:] not in known:
            continue
        if not equals:
            given = "" if value.startswith("--") else value
        if not given:
            raise ValueError(f"{key} needs a value: {key} VALUE.")
