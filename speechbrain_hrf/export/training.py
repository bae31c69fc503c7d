"""What a training left behind: its YAML, checkpoint, labels and scores.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import yaml
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_hrf.checkpoint_order import training_order
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.synthetic.corpus import MARKER
from speechbrain_hrf.export.definition import Definition
from speechbrain_hrf.results import METRICS_FILE, RunResults
from speechbrain_hrf.strict_json import parse_json

# What results say about the corpus is true of every checkpoint.
_OF_THE_CORPUS = (
    *("dataset", "synthetic", "licence", "labels"),
    *("task", "caution", "corrections"),
)
# Results that a recipe's YAML tells as well, and their keys there.
_IN_YAML = {
    "dataset": "corpus",
    "licence": "licence",
    "task": "task",
    "caution": "caution",
}


class Training:
    """A training's output folder and the checkpoint of it to export.

    Arguments
    ---------
    path : str or os.PathLike
        The output folder, or a checkpoint folder inside it. Of an output
        folder, the checkpoint that was evaluated is taken, or, if none was,
        the newest.

    Raises
    ------
    FileNotFoundError
        Something that the export needs is missing.
    ValueError
        Something is damaged.

    Example
    -------
    >>> import torch
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> _ = (folder / "hyperparams.yaml").write_text('''
    ... sample_rate: 16000
    ... compute_features: !new:speechbrain.lobes.features.Fbank
    ... mean_var_norm: !new:torch.nn.Identity
    ... embedding_model: !new:torch.nn.Linear [40, 8]
    ... classifier: !new:torch.nn.Linear [8, 2]
    ... ''')
    >>> checkpoint = folder / "save" / "CKPT+1"
    >>> checkpoint.mkdir(parents=True)
    >>> _ = (checkpoint / "CKPT.yaml").write_text("unixtime: 1")
    >>> torch.save({}, checkpoint / "classifier.ckpt")
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["sad", "angry"])
    >>> encoder.save(folder / "save" / "label_encoder.txt")
    >>> training = Training(folder)
    >>> training.labels, training.file("classifier").name
    (['sad', 'angry'], 'classifier.ckpt')
    >>> training.file("embedding_model")
    Traceback (most recent call last):
    ...
    FileNotFoundError: .../CKPT+1 holds no embedding_model.ckpt: ...
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = pathlib.Path(path)
        self.folder = find_output_folder(path)
        self.definition = Definition(self.folder / "hyperparams.yaml")
        results, evaluated = RunResults(), None
        if (self.folder / METRICS_FILE).is_file():
            results = RunResults.read(self.folder)
        if results.checkpoint:
            evaluated = self.folder / results.checkpoint
        if _is_checkpoint(path):
            self.checkpoint = path
        else:
            self.checkpoint = evaluated or self._find_newest()
        if not self.checkpoint.is_dir():
            raise FileNotFoundError(
                f"{self.folder / METRICS_FILE} holds the scores of "
                f"{self.checkpoint}, which is not there any more: give the "
                "checkpoint folder to export."
            )
        if (
            evaluated is None
            or self.checkpoint.resolve() != evaluated.resolve()
        ):
            # The scores, if any, are another checkpoint's.
            results = RunResults(
                **{name: getattr(results, name) for name in _OF_THE_CORPUS}
            )
        # Whoever writes the results may not know it; the corpus does.
        results.synthetic = results.synthetic or self._is_synthetic()
        for name, key in _IN_YAML.items():
            if getattr(results, name) is None:
                setattr(results, name, self.definition.value(key, "") or None)
        self.results = results

    @functools.cached_property
    def label_file(self) -> pathlib.Path:
        """pathlib.Path: Where the label encoder is."""
        candidates = [
            self.checkpoint / "label_encoder.ckpt",
            self.checkpoint.parent / "label_encoder.txt",
            self.folder / "save" / "label_encoder.txt",
        ]
        for file in candidates:
            if file.is_file():
                return file
        raise FileNotFoundError(
            f"There is no label encoder in {self.folder}: expected "
            "save/label_encoder.txt, as SpeechBrain's CategoricalEncoder "
            "writes it."
        )

    @functools.cached_property
    def label_encoder(self) -> CategoricalEncoder:
        """CategoricalEncoder: What numbers the labels."""
        return _read_labels(self.label_file)

    @property
    def labels(self) -> list[str]:
        """list of str: In the order of the classifier's outputs."""
        ind2lab = self.label_encoder.ind2lab
        return [str(ind2lab[index]) for index in sorted(ind2lab)]

    def has_file(self, key: str) -> bool:
        """Whether the checkpoint holds parameters of a module.

        Arguments
        ---------
        key : str
            The module's name in the YAML.

        Returns
        -------
        bool
        """
        return any(path.is_file() for path in self._candidates(key))

    def file(self, key: str) -> pathlib.Path:
        """The checkpoint's file of a module.

        Arguments
        ---------
        key : str
            The module's name in the YAML.

        Returns
        -------
        pathlib.Path
        """
        for path in self._candidates(key):
            if path.is_file():
                return path
        raise FileNotFoundError(
            f"{self.checkpoint} holds no {key}.ckpt: either the training "
            "was killed while it saved this checkpoint (give an older "
            f"one), or the recipe does not save {key} (name it among the "
            "checkpointer's recoverables)."
        )

    def recordings(self) -> Iterator[tuple[str, str | None]]:
        """Recordings of the test set that are at hand, with their labels.

        Clips that are cut out of a recording (``parts`` in the manifest) are
        none: the recording holds other voices as well, and may be clinical.

        Yields
        ------
        str
            Path.
        str or None
            Label; None if the manifest has none.
        """
        manifest = self.folder / "manifests" / "test.json"
        if not manifest.is_file():
            return
        root = self._data_root()
        for name, entry in sorted(_read_json(manifest).items()):
            path = entry.get("wav") if isinstance(entry, dict) else None
            if not isinstance(path, str):
                raise ValueError(
                    f"{manifest}: {name} has no wav, the path of its "
                    "recording: prepare the data again, or remove that file, "
                    "so that the export is verified on other signals."
                )
            # A name's own braces are doubled, as SpeechBrain reads them.
            path = path.replace("{{", "{").replace("}}", "}")
            path = path.replace("{data_root}", root)
            if not entry.get("parts") and os.path.isfile(path):
                yield path, entry.get("emo")

    def _candidates(self, key: str) -> list[pathlib.Path]:
        names = self.definition.saved_as(key)
        return [self.checkpoint / f"{name}.ckpt" for name in names]

    def _is_synthetic(self) -> bool:
        for path, _ in self.recordings():
            # Another corpus beside the one trained on says nothing of it.
            folders = pathlib.Path(path).parents
            return any((folder / MARKER).is_file() for folder in folders)
        return is_synthetic(self._data_root())

    def _data_root(self) -> str:
        root = self.definition.value("data_folder", "")
        output = self.definition.value("output_folder", "")
        inside = os.path.relpath(root or ".", output or ".")
        if os.path.isdir(root) or inside.startswith(os.pardir):
            return root
        # A corpus inside the output folder moves with it.
        return str(self.folder / inside)

    def _find_newest(self) -> pathlib.Path:
        places = [self.folder / "save", self.folder]
        try:
            found = [
                checkpoint
                for place in places
                if place.is_dir()
                for checkpoint in Checkpointer(place).list_checkpoints()
            ]
            newest = max(found, key=training_order, default=None)
        except (
            *(yaml.YAMLError, KeyError, TypeError, AttributeError),
            RecursionError,
        ) as error:
            raise ValueError(
                f"A CKPT.yaml of a checkpoint in {self.folder} is damaged "
                f"({error!r}): remove that checkpoint, or give the one to "
                "export."
            ) from error
        if newest is None:
            raise FileNotFoundError(
                f"{self.folder} holds no checkpoint (save/CKPT+...): train "
                "first, or give the folder of a finished training."
            )
        return pathlib.Path(newest.path)


def find_output_folder(path: pathlib.Path) -> pathlib.Path:
    """The output folder of a training, or of a checkpoint in it.

    Arguments
    ---------
    path : pathlib.Path
        Either of them.

    Returns
    -------
    pathlib.Path
        It holds hyperparams.yaml.

    Raises
    ------
    FileNotFoundError
        There is none.

    Example
    -------
    >>> find_output_folder(pathlib.Path("results/none"))
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder results/none.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {path}.")
    candidates = [path]
    if _is_checkpoint(path):
        candidates = list(path.absolute().parents[:2])
    for folder in candidates:
        if (folder / "hyperparams.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"There is no hyperparams.yaml in {candidates[-1]}: give the output "
        "folder of a training, or a checkpoint folder (save/CKPT+...) in it."
    )


def _is_checkpoint(folder: pathlib.Path) -> bool:
    return (folder / "CKPT.yaml").is_file()


def _read_json(path: pathlib.Path) -> dict[str, Any]:
    fix = "Remove it and run the recipe once more, which writes it again."
    content = parse_json(path.read_bytes(), path, fix)
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no JSON object. {fix}")
    return content


def _read_labels(path: pathlib.Path) -> CategoricalEncoder:
    encoder = CategoricalEncoder()
    try:
        encoder.load(path)
    # MemoryError, too, is what Python's parser raises of what is nested.
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"{path} is no label encoder of SpeechBrain: {error}"
        ) from error
    if not encoder.is_continuous() or encoder.starting_index != 0:
        raise ValueError(
            f"{path} does not number its labels 0, 1, 2, ...: "
            f"{encoder.ind2lab}. The classifier's outputs are numbered so."
        )
    encoder.expect_len(len(encoder))
    return encoder
