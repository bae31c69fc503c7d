"""Lists the licences of what users install, and fails on GPL.

    python .ci/licences.py

Of the package and its extras but those for tests, with all that they need in
their turn, as installed here. LGPL is none: soundfile's libsndfile is a library
that anyone may replace.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.metadata
import re
import sys

from packaging.requirements import Requirement

PACKAGE = "speechbrain-hrf"
NOT_FOR_USERS = {"test", "dev", "docs"}
# The Affero licence is one, too; the Lesser licence is not.
_GPL = re.compile(
    r"\bA?GPL|(?<!Lesser )(?<!Library or )General Public Lic", re.I
)


def find_packages(name: str = PACKAGE) -> set[str]:
    """The installed packages that one needs, and itself."""
    extras = importlib.metadata.metadata(name).get_all("Provides-Extra") or []
    waiting = [(name, frozenset(extras) - NOT_FOR_USERS)]
    found = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for line in importlib.metadata.requires(name) or []:
            need = Requirement(line)
            marks = [{"extra": extra} for extra in ("", *extras)]
            if need.marker and not any(map(need.marker.evaluate, marks)):
                continue
            try:
                importlib.metadata.distribution(need.name)
            except importlib.metadata.PackageNotFoundError:
                continue  # an extra that is not installed here
            waiting.append((need.name, frozenset(need.extras)))
    return {re.sub(r"[-_.]+", "-", name).lower() for name, _ in found}


def find_licence(name: str) -> str:
    """What a package says of its licence, in a line."""
    data = importlib.metadata.metadata(name)
    classes = data.get_all("Classifier") or []
    names = [c.rpartition(" :: ")[2] for c in classes if c[:7] == "License"]
    text = data.get("License-Expression") or "; ".join(names)
    return text or (data.get("License") or "unknown").strip().split("\n")[0]


def is_gpl(licence: str) -> bool:
    """Whether there is no other choice than a GPL."""
    # "MIT OR GPL-2.0" leaves one.
    choices = re.split(r"\s(?:OR|or)\s(?!Lesser|later)", licence)
    return all(_GPL.search(choice) for choice in choices)


def main() -> int:
    """Prints a line for each package; 1 if one is under a GPL."""
    found = {name: find_licence(name) for name in sorted(find_packages())}
    for name, licence in found.items():
        print(f"{name:<28} {licence}")
    wrong = [name for name, licence in found.items() if is_gpl(licence)]
    for name in wrong:
        print(
            f"Error: {name} is under {found[name]}, which this package's "
            "users cannot be asked to take on: do without it.",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
