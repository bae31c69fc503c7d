"""Options that the YAML does not have, or that have no value, are refused.

They would end in a run that is not the one that was meant: SpeechBrain takes an
option without a value for null, and ``labels: null`` asks for the stand-in corpus.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Container, Iterator, Sequence

from speechbrain_hrf.training.overrides import (
    read_option,
    read_overrides,
    resolved_yaml,
)


def refuse_unknown(
    argv: Sequence[str], hparams_file: str, overrides: str
) -> None:
    """Raises for an option that the YAML lacks, or whose value is not one.

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
    for key, given in _given(argv, known):
        if not given:
            raise ValueError(f"--{key} needs a value: --{key} VALUE.")
        read_option(key, given)
    for key in read_overrides(overrides):
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            fix = f"did you mean {near[0]}?" if near else "look there for it."
            raise ValueError(
                f"There is no option {key} in {hparams_file}: {fix}"
            )


def restore_equals(
    argv: Sequence[str], hparams_file: str, overrides: str
) -> str:
    """Puts the ``=`` within values back, for which SpeechBrain has blanks.

    Arguments
    ---------
    argv : sequence of str
        The command line.
    hparams_file : str
        The recipe's YAML.
    overrides : str
        What SpeechBrain has read from the command line.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("labels: null")
    >>> restore_equals(["--labels", "a=1.csv"], yaml.strpath, "labels: a 1.csv")
    'labels: a=1.csv'
    """
    lines = {
        f"{key}: {given.replace('=', ' ')}": f"{key}: {given}"
        for key, given in _given(argv, resolved_yaml(hparams_file, ""))
    }
    return "\n".join(lines.get(x, x) for x in overrides.splitlines())


def _given(
    argv: Sequence[str], known: Container[str]
) -> Iterator[tuple[str, str]]:
    """The YAML's options on a command line, and the text of each."""
    for k, argument in enumerate(argv):
        key, _, first = argument.partition("=")
        if key.startswith("--") and key[2:] in known:
            rest = itertools.takewhile(
                lambda word: not word.startswith("--"), argv[k + 1 :]
            )
            yield key[2:], " ".join([first, *rest]).strip()
