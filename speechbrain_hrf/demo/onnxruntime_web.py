"""The two files of onnxruntime-web that run a model on the CPU of a browser.

They come from npm, once, into a cache folder of the user, and are taken only
if they are, byte for byte, the ones that this code was tested with. The npm
command asks the registry that it is set up for.

The package holds 140 MB of builds for every kind of browser and GPU. A page
needs one script, with the start of the WebAssembly file inside it, and that
file. They run on one thread unless a page is served with the headers of
cross-origin isolation, which many static hosts cannot send.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from speechbrain_hrf.files import remove_abandoned, whole_folder

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
SCRIPT = "ort.wasm.bundle.min.mjs"
BINARY = "ort-wasm-simd-threaded.wasm"
# Of the files in the package's folder dist.
SHA256 = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}

_SECONDS = 900  # for 33 MB
_OWN_COPY = (
    f"Or unpack {PACKAGE} {VERSION} on a machine that has both (npm pack "
    f"{PACKAGE}@{VERSION}, then tar xzf), bring the folder here and name it: "
    "--onnxruntime_web FOLDER."
)


def onnxruntime_web(
    package: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> dict[str, pathlib.Path]:
    """Finds the files of onnxruntime-web, fetching them if need be.

    Arguments
    ---------
    package : str or os.PathLike, optional
        An unpacked onnxruntime-web of the right version. Then nothing is
        fetched.
    cache : str or os.PathLike, optional
        Where the files are kept; default ``cache_folder()``.

    Returns
    -------
    dict of str to pathlib.Path
        Where each file lies.

    Raises
    ------
    FileNotFoundError
        The folder lacks a file, or there is no npm.
    OSError
        npm could not fetch the package.
    ValueError
        A file is not the one that was tested.

    Example
    -------
    >>> onnxruntime_web("node_modules/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no node_modules/none/dist/ort.wasm...
    """
    if package is not None:
        return _check(pathlib.Path(package, "dist"))
    kept = pathlib.Path(cache or cache_folder(), f"{PACKAGE}-{VERSION}")
    if not _is_whole(kept):
        _fetch(kept)
    return {name: kept / name for name in SHA256}


def cache_folder() -> pathlib.Path:
    """The folder of this user for what can be fetched again.

    Returns
    -------
    pathlib.Path

    Example
    -------
    >>> cache_folder().name
    'speechbrain_hrf'
    """
    variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
    root = os.environ.get(variable) or pathlib.Path.home() / ".cache"
    return pathlib.Path(root, "speechbrain_hrf")


def _fetch(kept: pathlib.Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            f"{PACKAGE} {VERSION} has to be fetched once, and there is no npm "
            "command to do it. Install Node.js, which brings npm, and run "
            f"this again. {_OWN_COPY}"
        )
    print(
        f"Fetching {PACKAGE} {VERSION} by npm (33 MB, once) into {kept}",
        file=sys.stderr,
    )
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{kept.parent} cannot be made: {error.strerror}. Give a folder "
            "that you may write to by XDG_CACHE_HOME (on Windows, "
            f"LOCALAPPDATA). {_OWN_COPY}"
        ) from error
    remove_abandoned(kept.parent)
    with whole_folder(kept, _is_whole) as folder:
        packed = _pack(npm, folder)
        with tarfile.open(packed) as archive:
            for member in archive:
                name = member.name.removeprefix("package/dist/")
                content = (
                    archive.extractfile(member) if name in SHA256 else None
                )
                if content:
                    (folder / name).write_bytes(content.read())
        packed.unlink()
        _check(folder)


def _pack(npm: str, folder: pathlib.Path) -> pathlib.Path:
    """The package as npm downloads it, checked by npm against its registry."""
    try:
        said = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--loglevel=error"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        ).stderr
    except subprocess.TimeoutExpired:
        said = f"it took more than {_SECONDS} s"
    packed = next(folder.glob("*.tgz"), None)
    if packed is None:
        lines = [
            x.strip() for x in said.splitlines() if "complete log" not in x
        ]
        reason = " / ".join(list(filter(None, lines))[:3]).rstrip(".")
        raise OSError(
            f"npm could not fetch {PACKAGE} {VERSION}: {reason}. Check the "
            "network, and npm's registry and proxy (npm config list), and run "
            f"this again. {_OWN_COPY}"
        )
    return packed


def _check(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The files of a folder, if they are the ones that were tested."""
    found = {name: folder / name for name in SHA256}
    for name, path in found.items():
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no {path}. Give the folder of {PACKAGE} {VERSION}, "
                "unpacked, with its package.json; if npm fetched this, check "
                "npm's registry (npm config list)."
            )
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 != SHA256[name]:
            raise ValueError(
                f"{path} is not the one of {PACKAGE} {VERSION}: its sha256 is "
                f"{sha256}, not {SHA256[name]}. Take that version; if npm "
                "fetched this, check npm's registry (npm config list)."
            )
    return found


def _is_whole(folder: pathlib.Path) -> bool:
    try:
        return bool(_check(folder))
    except (OSError, ValueError):
        return False
