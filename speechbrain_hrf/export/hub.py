"""What the Hugging Face Hub is asked to do, and its refusals in a sentence.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError

from speechbrain_hrf.export.pretrained import is_ours
from speechbrain_hrf.runtime.checksums import is_of_tools

# The bases of the client's errors, which those without an answer share.
_CLIENT_ERRORS: tuple[type[Exception], ...] = (
    *HfHubHTTPError.__bases__,
    OSError,
    ValueError,
)


class PushError(Exception):
    """Why nothing was sent, or the Hub did not take it.

    Example
    -------
    >>> raise PushError("model is no folder.")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.export.hub.PushError: model is no folder.
    """


def upload(copy: pathlib.Path, name: str, private: bool) -> str:
    """Creates the model on the Hub if it is new, and sends all in a commit.

    Arguments
    ---------
    copy : pathlib.Path
        See ``stage``.
    name : str
        owner/name.
    private : bool
        Whether nobody else is to see it.

    Returns
    -------
    str
        Its page.

    Raises
    ------
    PushError
        Nobody is logged in, the Hub refuses, or what is there by that name
        is something else.

    Example
    -------
    >>> upload(pathlib.Path("copy"), "me/model", True) # doctest: +SKIP
    'https://huggingface.co/me/model'
    """
    api = HfApi()
    if get_token() is None:
        raise PushError(
            "You are not logged in to the Hugging Face Hub: run hf auth login, "
            "or set HF_TOKEN to a token of huggingface.co/settings/tokens "
            "that may write."
        )
    try:
        # None: what the organisation has as its default.
        url = api.create_repo(name, private=private or None, exist_ok=True)
        there = api.model_info(name)
        files = {file.rfilename for file in there.siblings or ()}
        _check_there(name, files, bool(there.private), private)
        sent = {path.name for path in copy.iterdir()}
        api.upload_folder(
            folder_path=copy,
            repo_id=name,
            commit_message="Upload of hrf push",
            delete_patterns=sorted(filter(is_ours, files - sent)) or None,
        )
    except _CLIENT_ERRORS as error:
        raise PushError(_explain(error, name, api.endpoint)) from error
    return str(url)


def _check_there(
    name: str, files: set[str], is_private: bool, private: bool
) -> None:
    """What must not happen to a model that is on the Hub already."""
    if private and not is_private:
        raise PushError(
            f"{name} is on the Hub already, and public, which --private does "
            "not change: give another name, or make it private in its "
            "settings first."
        )
    foreign = sorted(
        file for file in files if not is_ours(file) and not is_of_tools(file)
    )
    if foreign:
        raise PushError(
            f"{name} is on the Hub already and holds {foreign[0]}, which no "
            "export has written: give another name, or remove it there."
        )


def _explain(error: Exception, name: str, endpoint: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = getattr(error, "server_message", None) or error
    said = " ".join(str(said).split()).rstrip(".")
    if isinstance(error, ValueError):
        return f"The Hub does not take {name}: {said}."
    if status is None:
        return (
            f"The Hugging Face Hub ({endpoint}) cannot be reached ({said}): is "
            "there a network, and is HF_HUB_OFFLINE unset?"
        )
    if status == 401:
        return (
            "The Hugging Face Hub does not accept your token: run hf auth "
            "login again, or set HF_TOKEN to one of "
            "huggingface.co/settings/tokens that may write."
        )
    if status in (403, 404):
        owner = name.partition("/")[0]
        return (
            f"You may not write to {name} ({said}): is {owner} you, or an "
            "organisation of yours, and may your token write?"
        )
    return f"The Hub does not take {name} ({status}: {said}): try again later."
