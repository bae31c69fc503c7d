"""What a training left behind: its YAML, checkpoint, labels and scores.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib

import ruamel.yaml
from speechbrain.dataio.encoder import CategoricalEncoder

from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.export.definition import Definition

METRICS_FILE = "test_metrics.json"
# What the metrics file says about the corpus: true of every checkpoint.
_OF_THE_CORPUS = (
    *("dataset", "synthetic", "licence", "labels"),
    *("task", "caution", "corrections"),
)


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

    def __init__(self, path):
        path = pathlib.Path(path)
        self.folder = _output_folder(path)
        self.definition = Definition(self.folder / "hyperparams.yaml")
        metrics = _read_metrics(self.folder)
        evaluated = None
        if metrics.get("checkpoint"):
            evaluated = self.folder / metrics["checkpoint"]
        if _is_checkpoint(path):
            self.checkpoint = path
        else:
            self.checkpoint = evaluated or self._newest()
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
            metrics = {
                key: metrics[key] for key in _OF_THE_CORPUS if key in metrics
            }
        self.metrics = {**self._corpus(), **metrics}
        # Whoever writes the metrics may not know it; the corpus does.
        self.metrics["synthetic"] = bool(
            metrics.get("synthetic") or self._is_synthetic()
        )
        self.label_file = self._label_file()
        self.label_encoder = _read_labels(self.label_file)

    @property
    def labels(self):
        """list of str: In the order of the classifier's outputs."""
        ind2lab = self.label_encoder.ind2lab
        return [str(ind2lab[index]) for index in sorted(ind2lab)]

    def has_file(self, key):
        """Whether the checkpoint holds parameters of a module.

        Arguments
        ---------
        key : str
            The module's name in the YAML.

        Returns
        -------
        bool
        """
        return self._file(key) is not None

    def file(self, key):
        """The checkpoint's file of a module.

        Arguments
        ---------
        key : str
            The module's name in the YAML.

        Returns
        -------
        pathlib.Path
        """
        file = self._file(key)
        if file is None:
            raise FileNotFoundError(
                f"{self.checkpoint} holds no {key}.ckpt: either the training "
                "was killed while it saved this checkpoint (give an older "
                f"one), or the recipe does not save {key} (name it among the "
                "checkpointer's recoverables)."
            )
        return file

    def recordings(self, limit):
        """Recordings of the test set that are at hand.

        Clips that are cut out of a recording (``parts`` in the manifest) are
        none: the recording holds other voices as well, and may be clinical.

        Arguments
        ---------
        limit : int
            At most so many.

        Returns
        -------
        list of str
            Paths; empty without a manifest, or if it names no whole file that
            exists.
        """
        found = []
        for path, _ in self.labelled_recordings():
            if path not in found:
                found.append(path)
            if len(found) == limit:
                break
        return found

    def labelled_recordings(self):
        """The same recordings, all of them, with their labels.

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
        for _, entry in sorted(_read_json(manifest).items()):
            if "parts" in entry:
                continue
            path = entry["wav"].replace("{data_root}", root)
            if pathlib.Path(path).is_file():
                yield path, entry.get("emo")

    def _corpus(self):
        # What the YAML says, for a checkpoint that nobody has evaluated.
        return {
            "dataset": self.definition.value("corpus", ""),
            "licence": self.definition.value("licence", ""),
            "task": self.definition.value("task", ""),
            "caution": self.definition.value("caution", ""),
        }

    def _is_synthetic(self):
        folders = [pathlib.Path(self._data_root())]
        for path in self.recordings(limit=1):
            folders += pathlib.Path(path).parents
        return any(map(is_synthetic, folders))

    def _data_root(self):
        root = self.definition.value("data_folder", "")
        output = self.definition.value("output_folder", "")
        inside = os.path.relpath(root or ".", output or ".")
        if os.path.isdir(root) or inside.startswith(os.pardir):
            return root
        # A corpus inside the output folder moves with it.
        return str(self.folder / inside)

    def _file(self, key):
        for name in self.definition.saved_as(key):
            file = self.checkpoint / f"{name}.ckpt"
            if file.is_file():
                return file
        return None

    def _newest(self):
        places = [self.folder / "save", self.folder]
        checkpoints = [
            folder
            for place in places
            if place.is_dir()
            for folder in place.iterdir()
            if _is_checkpoint(folder)
        ]
        if not checkpoints:
            raise FileNotFoundError(
                f"{self.folder} holds no checkpoint (save/CKPT+...): train "
                "first, or give the folder of a finished training."
            )
        return max(checkpoints, key=_time_of)

    def _label_file(self):
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


def _output_folder(path):
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {path}.")
    if _is_checkpoint(path):
        candidates = path.absolute().parents[:2]
    else:
        candidates = [path]
    for folder in candidates:
        if (folder / "hyperparams.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"There is no hyperparams.yaml in {candidates[-1]}: give the output "
        "folder of a training, or a checkpoint folder (save/CKPT+...) in it."
    )


def _is_checkpoint(folder):
    return (folder / "CKPT.yaml").is_file()


def _time_of(checkpoint):
    path = checkpoint / "CKPT.yaml"
    try:
        meta = ruamel.yaml.YAML().load(path.read_text(encoding="utf-8"))
        return float(meta["unixtime"])
    except (ruamel.yaml.error.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error}): remove that checkpoint, or give "
            "the one to export."
        ) from error


def _read_metrics(folder):
    path = folder / METRICS_FILE
    return _read_json(path) if path.is_file() else {}


def _read_json(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a JSON object: {str(content)[:40]}")
    return content


def _read_labels(path):
    encoder = CategoricalEncoder()
    try:
        encoder.load(path)
    except (ValueError, SyntaxError) as error:
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
