"""What comes before training: options, stand-in corpus, output folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib

import torch
from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.synthetic import is_synthetic, make_corpus

logger = get_logger(__name__)

# The value of data_folder that asks for the stand-in corpus.
STAND_IN = "synthetic"
SUFFIX = "-synthetic"
# The recipes' epochs would teach nothing more about a corpus of that size.
STAND_IN_EPOCHS = 40


def locate_hparams(argv, script):
    """Lets the YAML be named relative to train.py's folder.

    Arguments
    ---------
    argv : list of str
        Command-line arguments without the program's name.
    script : str
        ``__file__`` of train.py.

    Returns
    -------
    list of str
        ``argv`` with the path of a YAML that exists.

    Raises
    ------
    FileNotFoundError
        Naming the YAMLs that there are.

    Example
    -------
    >>> folder = getfixture("tmpdir").mkdir("hparams")
    >>> folder.join("model.yaml").write("seed: 1")
    >>> script = folder.join("..", "train.py").strpath
    >>> argv = locate_hparams(["hparams/model.yaml", "--seed", "2"], script)
    >>> os.path.exists(argv[0]), argv[1:]
    (True, ['--seed', '2'])
    """
    argv = list(argv)
    folder = pathlib.Path(script).resolve().parent
    for k, argument in enumerate(argv):
        if argument.endswith((".yaml", ".yml")) and not argument.startswith(
            "-"
        ):
            if not os.path.isfile(argument):
                if not (folder / argument).is_file():
                    known = sorted(
                        path.relative_to(folder).as_posix()
                        for path in folder.glob("hparams/*.yaml")
                    )
                    raise FileNotFoundError(
                        f"There is no {argument}, neither here nor in {folder}."
                        f" The recipe has {known}."
                    )
                argv[k] = str(folder / argument)
            break
    return argv


def use_stand_in(hparams_file, overrides):
    """Points a recipe without data at the corpus that it will generate.

    Where ``data_folder`` is "synthetic", ``corpus`` gets a name that says so
    (and with it the output folder), the corpus will be put into the output
    folder, and 40 epochs have to do unless ``number_of_epochs`` is overridden.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``data_folder``, ``corpus``, ``output_folder``.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write('''data_folder: synthetic
    ... corpus: IEMOCAP
    ... output_folder: !ref results/<corpus>''')
    >>> print(use_stand_in(yaml.strpath, "seed: 1"))
    seed: 1
    corpus: IEMOCAP-synthetic
    data_folder: results/IEMOCAP-synthetic/corpus
    number_of_epochs: 40
    """
    resolved = _resolved(hparams_file, overrides)
    if resolved["data_folder"] != STAND_IN:
        return overrides
    overrides = f"{overrides}\ncorpus: {resolved['corpus']}{SUFFIX}".strip()
    output_folder = _resolved(hparams_file, overrides)["output_folder"]
    overrides += f"\ndata_folder: {output_folder}/corpus"
    if "number_of_epochs" not in (YAML().load(overrides) or {}):
        overrides += f"\nnumber_of_epochs: {STAND_IN_EPOCHS}"
    return overrides


def _resolved(hparams_file, overrides):
    with open(hparams_file, encoding="utf-8") as stream:
        text = resolve_references(stream, overrides, overrides_must_match=False)
    return YAML().load(text)


def make_stand_in(corpus, data_folder):
    """Generates the stand-in corpus of a run that was given no data.

    Arguments
    ---------
    corpus : str
        The recipe's ``corpus``: "IEMOCAP-synthetic" after ``use_stand_in``.
    data_folder : str
        Where the corpus goes, or is; may be a real one.

    Returns
    -------
    str
        Folder of the corpus: ``data_folder``, or what was generated there.

    Example
    -------
    >>> make_stand_in("RAVDESS", "/data/RAVDESS")
    '/data/RAVDESS'
    """
    if not corpus.endswith(SUFFIX):
        return data_folder
    name = corpus.removesuffix(SUFFIX)
    run_on_main(make_corpus, kwargs={"name": name, "folder": data_folder})
    return data_folder


def warn_if_synthetic(data_folder):
    """Shows a banner if a corpus is the stand-in one.

    Arguments
    ---------
    data_folder : str

    Returns
    -------
    bool
        Whether it is.

    Example
    -------
    >>> warn_if_synthetic(getfixture("tmpdir").strpath)
    False
    """
    synthetic = is_synthetic(data_folder)
    if synthetic:
        line = "=" * 72
        logger.warning(
            "\n%s\n  SYNTHETIC DATA: generated signals, not speech. The figures "
            "of this run\n  mean nothing. Give the real corpus with "
            "--data_folder /path/to/corpus.\n%s",
            line,
            line,
        )
    return synthetic


def refuse_other_model(checkpointer, modules):
    """Raises if the output folder holds checkpoints of another model.

    Arguments
    ---------
    checkpointer : speechbrain.utils.checkpoints.Checkpointer
    modules : dict of str: torch.nn.Module
        As they will be trained, by the names of their recoverables.

    Raises
    ------
    ValueError
        Naming the folder, what differs, and the fix.

    Example
    -------
    >>> from speechbrain.utils.checkpoints import Checkpointer
    >>> model = {"classifier": torch.nn.Linear(2, 2)}
    >>> checkpointer = Checkpointer(getfixture("tmpdir").strpath, model)
    >>> _ = checkpointer.save_checkpoint()
    >>> refuse_other_model(checkpointer, model)
    >>> refuse_other_model(checkpointer, {"classifier": torch.nn.Linear(2, 3)})
    Traceback (most recent call last):
        ...
    ValueError: /... holds a checkpoint of another model: classifier differs ...
    """
    checkpoint = checkpointer.find_checkpoint()
    if checkpoint is None:
        return
    for name, module in modules.items():
        path = checkpoint.paramfiles.get(name)
        if path is None:
            continue
        saved = torch.load(path, map_location="cpu", weights_only=True)
        there = {key: tuple(tensor.shape) for key, tensor in saved.items()}
        here = {
            key: tuple(tensor.shape)
            for key, tensor in module.state_dict().items()
        }
        if there != here:
            differing = sorted(
                key
                for key in there.keys() | here.keys()
                if there.get(key) != here.get(key)
            )
            raise ValueError(
                f"{checkpointer.checkpoints_dir} holds a checkpoint of another "
                f"model: {name} differs in {differing[:4]} (and "
                f"{max(len(differing) - 4, 0)} more). Give this run its own "
                "--output_folder, or remove the old one."
            )
