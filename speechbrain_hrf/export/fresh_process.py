"""Loads an exported folder as its users will, and says what it answers.

Run as a script, in a new process, by ``verify``. It imports nothing of this
package itself: first the standalone route runs, while imports of the package
are made to fail; then the usual one.

    python fresh_process.py <request.json> <answer.json>

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

# Printed when a file has been answered, for the progress bar of ``verify``.
ANSWERED = "answered"

# [log-probabilities, label] by file.
Answers = dict[str, tuple[list[float], str]]


class Blocked:
    """Makes packages look as if they were not installed.

    Arguments
    ---------
    roots : list of str
        Names of top-level packages.

    Example
    -------
    >>> Blocked(["wave"]).find_spec("wave")
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: No module named 'wave' (blocked)
    """

    def __init__(self, roots: list[str]) -> None:
        self.roots = roots

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> None:
        """Raises for what is blocked; leaves the rest to the next finder.

        Arguments
        ---------
        name : str
            Of the module that is looked for.
        path, target : object
            Not used.
        """
        if name.partition(".")[0] in self.roots:
            raise ModuleNotFoundError(
                f"No module named '{name}' (blocked)", name=name
            )


def answer(classifier: Any, files: Iterable[str]) -> Answers:
    """Log-probabilities and label of each file.

    Arguments
    ---------
    classifier : EncoderClassifier
    files : iterable of str

    Returns
    -------
    dict
        (list of float, str) by file.

    Example
    -------
    >>> import torch
    >>> class Constant:
    ...     def classify_file(self, path):
    ...         return torch.zeros(1, 1), None, None, ["sad"]
    >>> answer(Constant(), ["a.wav"])
    {'a.wav': ([0.0], 'sad')}
    """
    found: Answers = {}
    for file in files:
        log_probabilities, _, _, labels = classifier.classify_file(file)
        # JSON keeps a float32 to the last bit.
        found[file] = (log_probabilities[0].tolist(), str(labels[0]))
    return found


def _tell(files: list[str]) -> Iterator[str]:
    """Each file, and a line when the next one is asked for."""
    for file in files:
        yield file
        print(ANSWERED, flush=True)


def main(request_path: str, answer_path: str) -> None:
    """Answers a request; see ``verify``.

    Arguments
    ---------
    request_path : str
        JSON with source, files, safe (whether it loads by ``safe.load``) and,
        if there is a bundled file, standalone (arguments of
        ``foreign_class``) and blocked.
    answer_path : str
        Where to write the JSON with the answers.

    Example
    -------
    >>> main("none.json", "answer.json")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'none.json'
    """
    with open(request_path, encoding="utf-8") as stream:
        request = json.load(stream)
    options = {"source": request["source"], "run_opts": {"device": "cpu"}}
    found = {}
    if request["standalone"]:
        sys.meta_path.insert(0, blocked := Blocked(request["blocked"]))
        from speechbrain.inference.interfaces import foreign_class

        classifier = foreign_class(**options, **request["standalone"])
        found["standalone"] = answer(classifier, _tell(request["files"]))
        sys.meta_path.remove(blocked)

    from speechbrain.inference.classifiers import EncoderClassifier

    # Without a savedir, as the card says: SpeechBrain would fill one with
    # symbolic links, which Windows allows to administrators alone.
    classifier = EncoderClassifier.from_hparams(**options)
    found["from_hparams"] = answer(classifier, _tell(request["files"]))
    if request["safe"]:
        from speechbrain_hrf.inference.safe import load

        classifier = load(request["source"], options["run_opts"])
        found["safe.load"] = answer(classifier, _tell(request["files"]))
    with open(answer_path, "w", encoding="utf-8") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    # A script's own folder comes first on the path: not for its users. Under
    # PYTHONSAFEPATH (Python 3.11) it is not there.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    main(*sys.argv[1:])
