"""A git checkout of SpeechBrain, to which branches are added.

Nothing is written into its working tree: each change set is written in a
temporary work tree of its own, from which a commit is made.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from change_sets import CHANGE_SETS

VERSIONS = "1.1."  # of which the change sets are made
_PREFIX = "pr/"


class Refused(Exception):
    """A checkout that nothing is written to, or a branch of somebody else.

    Example
    -------
    >>> raise Refused("It is dirty.")
    Traceback (most recent call last):
    ...
    checkout.Refused: It is dirty.
    """


class Checkout:
    """A checkout of SpeechBrain that branches may be added to.

    Arguments
    ---------
    folder : str
        Its top.

    Raises
    ------
    Refused
        If it is none, has uncommitted changes, or is of another version.

    Example
    -------
    >>> Checkout("/none")
    Traceback (most recent call last):
    ...
    checkout.Refused: /none is no git checkout of SpeechBrain: ...
    """

    def __init__(self, folder: str) -> None:
        self.folder = pathlib.Path(folder).expanduser().resolve()
        version = self.folder / "speechbrain/version.txt"
        if not version.is_file() or not (self.folder / ".git").exists():
            raise Refused(
                f"{folder} is no git checkout of SpeechBrain: it lacks .git or "
                "speechbrain/version.txt. Clone "
                "https://github.com/speechbrain/speechbrain and name that."
            )
        found = version.read_text(encoding="utf-8").strip()
        if not found.startswith(VERSIONS):
            raise Refused(
                f"{folder} is SpeechBrain {found}, and the change sets are of "
                f"{VERSIONS}x: check out a commit of that version."
            )
        if changed := self.git("status", "--porcelain").splitlines():
            raise Refused(
                f"{folder} has uncommitted changes ({changed[0].strip()}"
                f"{' ...' if changed[1:] else ''}): commit or remove them."
            )
        self.base = self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str, at: pathlib.Path | None = None) -> str:
        """Output of git in the checkout.

        Arguments
        ---------
        *arguments : str
            Of git.
        at : pathlib.Path, optional
            Another work tree of it.

        Returns
        -------
        str
        """
        # By the date of the base, the same content is the same commit.
        date = {}
        if "commit-tree" in arguments:
            when = self.git("show", "-s", "--format=%cI", self.base).strip()
            date = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        process = subprocess.run(
            ["git", *arguments],
            cwd=at or self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, **date},
            check=False,
        )
        if process.returncode:
            raise Refused(
                f"git {' '.join(arguments)} failed: {process.stderr.strip()}"
            )
        return process.stdout

    def assemble(self, name: str) -> tuple[str, str]:
        """Makes the branch of a change set, and of what it needs.

        Arguments
        ---------
        name : str
            One of ``CHANGE_SETS``.

        Returns
        -------
        str
            The branch.
        str
            What it changes, as git counts it.

        Raises
        ------
        Refused
            If there is another branch of that name, or SpeechBrain's files
            are not those that the change set was made for.
        """
        change = CHANGE_SETS[name]
        parent = self.base
        if change.needs:
            parent = self.assemble(change.needs)[0]
        branch = branch_of(name)
        with self.work_tree(parent) as root:
            try:
                written = change.write(root)
            except (OSError, ValueError) as error:
                raise Refused(
                    f"{self.folder}: the change set {name!r} does not fit "
                    f"({error}). Check out SpeechBrain's main branch, without "
                    "these changes."
                ) from error
            _format(root, written)
            self.git("add", "--force", "--", *written, at=root)
            tree = self.git("write-tree", at=root).strip()
        commit = self.git(
            *self._identity(),
            *("commit-tree", tree, "-p", parent, "-m", change.title),
        ).strip()
        self._point(branch, commit, change.title)
        stat = self.git("diff", "--shortstat", f"{parent}..{branch}").strip()
        return branch, stat

    def changed(self, name: str) -> list[str]:
        """The files that a change set adds or changes.

        Arguments
        ---------
        name : str

        Returns
        -------
        list of str
        """
        branch = branch_of(name)
        return self.git("diff", "--name-only", f"{branch}~..{branch}").split()

    @contextlib.contextmanager
    def work_tree(self, commit: str) -> Iterator[pathlib.Path]:
        """A temporary work tree.

        Arguments
        ---------
        commit : str
            What is checked out there.

        Yields
        ------
        pathlib.Path
        """
        with tempfile.TemporaryDirectory() as scratch:
            root = pathlib.Path(scratch).resolve() / "speechbrain"
            self.git(
                "worktree", "add", "--quiet", "--detach", str(root), commit
            )
            try:
                yield root
            finally:
                shutil.rmtree(root, ignore_errors=True)
                self.git("worktree", "prune")

    def _identity(self) -> list[str]:
        # Of whoever sends the pull requests, if git knows.
        with contextlib.suppress(Refused):
            self.git("config", "user.email")
            return []
        who = ("user.name=The speechbrain_hrf authors", "user.email=none")
        return [part for each in who for part in ("-c", each)]

    def _point(self, branch: str, commit: str, title: str) -> None:
        there = self.git(
            "for-each-ref", "--format=%(subject)", f"refs/heads/{branch}"
        )
        if there.strip() not in ("", title):
            raise Refused(
                f"{self.folder} has a branch {branch} of something else "
                f"({there.strip()}): rename it."
            )
        self.git("branch", "--force", branch, commit)


def branch_of(name: str) -> str:
    """The branch of a change set.

    Arguments
    ---------
    name : str

    Returns
    -------
    str

    Example
    -------
    >>> branch_of("hrf")
    'pr/hrf'
    """
    return _PREFIX + name


def _format(root: pathlib.Path, names: list[str]) -> None:
    """By SpeechBrain's own settings, which lie in its pyproject.toml."""
    modules = [
        name
        for name in names
        if name.endswith(".py") and not (root / name).is_symlink()
    ]
    for command in (["check", "--fix-only"], ["format"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", *modules],
            cwd=root,
            check=True,
        )
