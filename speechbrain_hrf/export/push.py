"""An exported folder as a model on the Hugging Face Hub.

    hrf push FOLDER owner/name [--dry_run] [--private]

What is sent is a copy whose card says how to load it from there.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import pathlib
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Sequence

from huggingface_hub import ModelCard
from huggingface_hub.utils._validators import validate_repo_id
from tabulate import tabulate

from speechbrain_hrf.export.card import PLACE
from speechbrain_hrf.export.hub import PushError, upload
from speechbrain_hrf.export.manifest import list_files, write_manifest
from speechbrain_hrf.export.pretrained import why_not_ours
from speechbrain_hrf.runtime.checksums import find_faults, list_checksums
from speechbrain_hrf.runtime.folder import MANIFEST, read_description

_CARD = "README.md"
_LICENCE = "## Licence of the data"
_PRIVATE = """\
It is private: from_hparams and foreign_class need fetch_config=FetchConfig(
token=True) as well (from speechbrain.utils.fetching), and who loads it a token."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Pushes a folder and prints how to load it.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error (2 for wrong arguments).

    Example
    -------
    >>> main(["my_model", "my_name/my_model"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="hrf push",
        description="Uploads an exported folder to the Hugging Face Hub, "
        "logged in as always: by hf auth login, or with HF_TOKEN set.",
    )
    parser.add_argument("folder", help="what hrf export, or a run, has written")
    parser.add_argument("name", help="owner/name: you or an organisation")
    parser.add_argument(
        "--dry_run",
        action="store_true",
        help="say what would be uploaded; nothing touches the network",
    )
    parser.add_argument(
        "--private", action="store_true", help="for nobody else to see"
    )
    parser.add_argument(
        "--yes_i_may",
        action="store_true",
        help="share it although the licence of the data is not known to allow "
        "that: you have made sure",
    )
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch)
            check_name(options.name)
            stage(pathlib.Path(options.folder), copy, options.name)
            card = ModelCard.load(copy / _CARD)
            if not options.yes_i_may:
                check_licence(card)
            if options.dry_run:
                print(f"Nothing is sent. To {options.name} would go:")
            else:
                url = upload(copy, options.name, options.private)
                print(f"Pushed to {url}")
            print(_describe(copy, card, options))
    except (OSError, PushError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def check_name(name: str) -> None:
    """Refuses what is no name of a model.

    Arguments
    ---------
    name : str

    Raises
    ------
    PushError

    Example
    -------
    >>> check_name("my_model")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.export.hub.PushError: my_model is not owner/name, such as ...
    """
    if name.count("/") != 1:
        raise PushError(
            f"{name} is not owner/name, such as my_name/my_model: the owner "
            "is your user name on the Hub, or an organisation of yours."
        )
    try:
        validate_repo_id(name)
    except ValueError as error:
        raise PushError(
            f"{name} is no name of a model on the Hub: {error}"
        ) from error


def stage(folder: pathlib.Path, copy: pathlib.Path, name: str) -> None:
    """Copies an export, with a card that says how to load it from the Hub.

    Arguments
    ---------
    folder : pathlib.Path
        What an export has written, and nothing else.
    copy : pathlib.Path
        An empty folder.
    name : str
        owner/name.

    Raises
    ------
    PushError
        It is something else, or not as it was exported.

    Example
    -------
    >>> stage(pathlib.Path("no/model"), pathlib.Path("copy"), "me/model")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.export.hub.PushError: There is no folder no/model.
    """
    if not folder.is_dir():
        raise PushError(f"There is no folder {folder}.")
    reason = why_not_ours(folder)
    if reason:
        raise PushError(
            f"{folder} cannot be pushed, because {reason}: give the folder "
            "that hrf export has written, or pretrained/ of a run, and "
            "nothing of your own in it."
        )
    faults = find_faults(folder)
    if faults:
        more = f" ({len(faults) - 1} more)" if faults[1:] else ""
        raise PushError(f"{faults[0]}{more}")
    for file in (*list_checksums(read_description(folder)), MANIFEST):
        shutil.copyfile(folder / file, copy / file)
    text = (copy / _CARD).read_bytes().decode()
    text = text.replace(f'source="{PLACE}"', f'source="{name}"')
    (copy / _CARD).write_bytes(text.encode())
    files = {"files": list_files(copy)}
    write_manifest(copy, read_description(copy) | files)


def check_licence(card: ModelCard) -> None:
    """Refuses data whose licence is not known to allow sharing.

    Arguments
    ---------
    card : ModelCard

    Raises
    ------
    PushError
        The licence is none of Creative Commons, or forbids derivatives, and
        the data are not generated.

    Example
    -------
    >>> check_licence(ModelCard("---\\nlicense: cc-by-4.0\\n---\\n"))
    """
    licence = card.data.get("license") or "other"
    if "synthetic-data" in (card.data.get("tags") or ()):
        return
    if licence.startswith("cc") and "-nd" not in licence:
        return
    stated = " ".join(card.text.rpartition(_LICENCE)[2].split())
    raise PushError(
        "The licence of the data that the model was trained on is not known "
        f"to allow sharing the model. The card says: {stated.rstrip('.')}. "
        "Ask whoever gave you the data, and if you may, add --yes_i_may."
    )


def _describe(
    copy: pathlib.Path, card: ModelCard, options: argparse.Namespace
) -> str:
    files = [
        (path.name, f"{path.stat().st_size:,} bytes")
        for path in sorted(copy.iterdir())
    ]
    table = tabulate(
        files,
        tablefmt="plain",
        disable_numparse=True,
        colalign=("left", "right"),
    )
    lines = [textwrap.indent(table, "  ")]
    if options.dry_run:
        lines += ["The card's metadata:", textwrap.indent(str(card.data), "  ")]
    code = re.search(r"```python\n(.+?)\n```", card.text, re.DOTALL)
    if code:
        lines += ["Load it with:", textwrap.indent(code[1], "  ")]
    if options.private:
        lines.append(_PRIVATE)
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
