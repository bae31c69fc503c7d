"""The checksums of an exported folder: of each file, and of the manifest.

They guard against damage and mix-ups, not against a forger: whoever changes a
file on purpose can write new checksums as well.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import hashlib
import os
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_hrf.runtime.folder import MANIFEST, OWN, read_description

_OF_TOOLS = re.compile(r"__pycache__|\..*")


def is_of_tools(name: str) -> bool:
    """Whether Python, the Hub's tools or a desktop leave it beside a model.

    Arguments
    ---------
    name : str
        Of a file or folder.

    Returns
    -------
    bool

    Example
    -------
    >>> is_of_tools(".DS_Store"), is_of_tools("speech.wav")
    (True, False)
    """
    return bool(_OF_TOOLS.fullmatch(name))


def find_changes(
    folder: str | os.PathLike[str], manifest: Mapping[str, Any]
) -> list[str]:
    """What is not as it was exported, in a sentence for each file.

    Arguments
    ---------
    folder : str or os.PathLike
        The exported folder.
    manifest : dict
        What it says about itself.

    Returns
    -------
    list of str
        Empty if every file is there, as it was, and no other.

    Example
    -------
    >>> folder = getfixture("onnx_folder")
    >>> find_changes(folder, read_description(folder))
    []
    >>> find_changes(folder, {"files": {"README.md": "0"}})
    ['.../README.md is missing, ...', '.../model.onnx is in the folder, ...']
    """
    expected, found = list_checksums(manifest), _list_files(folder)
    again = "Copy the folder again."
    changes = []
    for name in sorted(expected.keys() | found.keys()):
        path = os.path.join(folder, name)
        if name not in found:
            changes.append(
                f"{path} is missing, though {MANIFEST} names it. {again}"
            )
        elif name not in expected:
            changes.append(
                f"{path} is in the folder, though no export has written it. "
                "Remove it, or copy the folder again."
            )
        elif not found[name].is_file():
            changes.append(f"{path} is no file. {again}")
        elif _sha256(found[name]) != expected[name]:
            changes.append(
                f"{path} is damaged or not the file that was exported: its "
                f"SHA-256 is not the one in {MANIFEST}. {again}"
            )
    return changes


def find_own(folder: str | os.PathLike[str]) -> list[str]:
    """What would be lost with a folder, for no export has written it.

    Arguments
    ---------
    folder : str or os.PathLike
        The exported folder.

    Returns
    -------
    list of str
        Names of files that were changed or added. Empty also where an earlier
        version has exported the folder, without checksums.

    Example
    -------
    >>> find_own(getfixture("onnx_folder"))
    []
    """
    try:
        manifest = read_description(folder)
    except FileNotFoundError:
        return []
    except ValueError:
        return [MANIFEST]
    if "files" not in manifest:
        return []
    expected = list_checksums(manifest)
    return [
        name
        for name, path in _list_files(folder).items()
        if not path.is_file() or _sha256(path) != expected.get(name)
    ]


def _list_files(folder: str | os.PathLike[str]) -> dict[str, pathlib.Path]:
    return {
        path.name: path
        for path in sorted(pathlib.Path(folder).iterdir())
        if path.name != MANIFEST and not is_of_tools(path.name)
    }


def find_faults(folder: str | os.PathLike[str]) -> list[str]:
    """Why a folder cannot be told to be as it was exported.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    list of str
        A sentence each; empty if it is.

    Example
    -------
    >>> find_faults("no/such/folder")
    ['There is no folder no/such/folder. ...']
    """
    try:
        refuse_run(folder)
        if not _has_manifest(folder):
            return [
                f"{folder} has no {MANIFEST} and so no checksums: it was "
                "lost, or an earlier version exported the folder. To have it "
                "checked, export it again."
            ]
        manifest = read_description(folder)
        faults = find_changes(folder, manifest)
    except (OSError, ValueError) as error:
        return [str(error)]
    if OWN not in manifest:
        faults.append(
            f"{os.path.join(folder, MANIFEST)} carries no checksum of "
            "itself, so that its labels cannot be checked: an earlier "
            "version exported it. It loads; to have it checked, "
            "export it again."
        )
    return faults


def refuse_run(folder: str | os.PathLike[str]) -> None:
    """Raises for a training's own folder, in the place of what it exported.

    Arguments
    ---------
    folder : str or os.PathLike

    Raises
    ------
    ValueError
        Naming the folder to give.

    Example
    -------
    >>> refuse_run("no/such/folder")
    """
    has_checkpoints = os.path.isdir(os.path.join(folder, "save"))
    if has_checkpoints and not os.path.exists(os.path.join(folder, MANIFEST)):
        raise ValueError(
            f"{os.fspath(folder)} is the output folder of a run: give the "
            "folder that it has exported, as a rule "
            f"{os.path.join(folder, 'pretrained')}."
        )


def list_checksums(manifest: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 by file name.

    Arguments
    ---------
    manifest : dict

    Returns
    -------
    dict
        Empty where a folder was exported before there were any.

    Example
    -------
    >>> list_checksums({"files": {"a": "0"}, "graphs": {"b": {"sha256": "1"}}})
    {'a': '0', 'b': '1'}
    """
    graphs = manifest.get("graphs", {})
    return {
        **manifest.get("files", {}),
        **{name: entry["sha256"] for name, entry in graphs.items()},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Says whether a folder is as it was exported.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0 if every file is, else 1 (2 for wrong arguments).

    Example
    -------
    >>> main(["no/such/folder"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="hrf verify",
        description="Says whether each file of an exported folder is as it "
        "was exported, by the checksums in its manifest.json. That finds "
        "damage and mix-ups, not a forger, who can write new checksums.",
    )
    parser.add_argument("folder", help="what hrf export, or a run, has written")
    folder = parser.parse_args(arguments).folder
    faults = find_faults(folder)
    for fault in faults:
        print(f"Error: {fault}", file=sys.stderr)
    if not faults:
        count = len(list_checksums(read_description(folder))) + 1
        print(f"{folder}: all {count} files are as they were exported.")
    return 1 if faults else 0


def _has_manifest(folder: str | os.PathLike[str]) -> bool:
    # Before there were checksums, only ONNX came with a manifest.
    is_export = os.path.isfile(os.path.join(folder, "hyperparams.yaml"))
    return not is_export or os.path.exists(os.path.join(folder, MANIFEST))


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
