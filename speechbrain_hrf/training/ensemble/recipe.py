"""A recipe's train.py as a module, and the folder that a run of it begins.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import importlib.util
import os
import pathlib
import shutil
import sys
from datetime import date
from types import ModuleType

import speechbrain as sb
from speechbrain.utils.logger import get_environment_description

from speechbrain_hrf.files import write_whole


def load_recipe(train_script: str | os.PathLike) -> ModuleType:
    """Imports train.py from its folder.

    Arguments
    ---------
    train_script : str or os.PathLike

    Returns
    -------
    module
        With ``prepare(hparams)``, ``dataio_prep(hparams)`` and one subclass
        of ``speechbrain.Brain``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it lacks one of these.

    Example
    -------
    >>> load_recipe("recipes/NONE/train.py")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no recipes/NONE/train.py: give a recipe's ...
    """
    path = pathlib.Path(train_script)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no {path}: give a recipe's train.py, such as "
            "recipes/RAVDESS/train.py."
        )
    path = path.resolve()
    name = f"train_{path.parent.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # for its own preparer
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    for function in ("prepare", "dataio_prep"):
        if not hasattr(module, function):
            raise ValueError(
                f"{path} has no function {function}, which a training "
                "of many models needs: add it, as recipes/RAVDESS/train.py has."
            )
    brain_class(module)
    return module


def brain_class(module: ModuleType) -> type[sb.Brain]:
    """The Brain that a train.py defines.

    Arguments
    ---------
    module : module

    Returns
    -------
    type

    Raises
    ------
    ValueError
        If there is not just one.

    Example
    -------
    >>> brain_class(ModuleType("train"))
    Traceback (most recent call last):
        ...
    ValueError: train defines 0 subclasses of speechbrain.Brain instead of one.
    """
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, sb.Brain)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise ValueError(
            f"{module.__name__} defines {len(found)} subclasses of "
            "speechbrain.Brain instead of one."
        )
    return found[0]


def begin_folder(
    output_folder: str, hparams_file: str, resolved: str, script: str
) -> None:
    """Writes what ``sb.create_experiment_directory`` writes, without its log.

    That would lead the process's log into the folder of the last run.

    Arguments
    ---------
    output_folder : str
    hparams_file : str
        The recipe's YAML.
    resolved : str
        Its text with overrides and references filled in.
    script : str
        train.py, of which a copy is left.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> yaml = folder.join("x.yaml")
    >>> yaml.write("seed: 1")
    >>> begin_folder(
    ...     folder.join("run").strpath, yaml.strpath, "seed: 2\\n", yaml.strpath)
    >>> sorted(path.basename for path in folder.join("run").listdir())
    ['env.log', 'hyperparams.yaml', 'x.yaml']
    >>> folder.join("run", "hyperparams.yaml").read().splitlines()[-1]
    'seed: 2'
    """
    folder = pathlib.Path(output_folder)
    folder.mkdir(parents=True, exist_ok=True)
    head = (
        f"# Generated {date.today()} from:\n"
        f"# {os.path.abspath(hparams_file)}\n"
        "# yamllint disable\n"
    )
    write_whole(folder / "hyperparams.yaml", head + resolved)
    (folder / "env.log").write_text(_environment(), encoding="utf-8")
    shutil.copy(script, folder)


@functools.cache
def _environment() -> str:
    return get_environment_description()
