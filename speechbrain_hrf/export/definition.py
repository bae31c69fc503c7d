"""From the YAML of a training to the YAML that inference needs.

A recipe's YAML also builds loggers, optimisers and checkpointers, and holds
the paths of the machine it ran on. Inference needs the sample rate and the
four modules of ``EncoderClassifier``; this file takes just those, with
whatever they refer to. It asks nothing else of the YAML, so it serves any
recipe that has these five keys.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import pydoc
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hyperpyyaml import load_hyperpyyaml
from torch import nn

from speechbrain_hrf.export import yaml_tree
from speechbrain_hrf.export.plain import to_plain

# The modules of ``EncoderClassifier`` by name, [B, samples] to [B, 1, C].
Modules: TypeAlias = dict[str, Any]
INTERFACE = (
    "compute_features",
    "mean_var_norm",
    "embedding_model",
    "classifier",
)
# Top-level keys of the recipe that say how the model was expanded, and the
# arguments of apply_hrf that they stand for. The initialisation is missing:
# the checkpoint's parameters replace it.
HRF_OPTIONS = {
    "hrf_modules": "modules",
    "hrf_ratio": "ratio",
    "hrf_layers": "layers",
    "hrf_width_of": "width_of",
    "hrf_inner_bias": "inner_bias",
    "hrf_inner_norm": "inner_norm",
}
HEADER = "# Inference hyperparameters of an exported model (speechbrain-hrf)."
_TEXT = """\
{header}
# Every file that it names lies beside it, as <loadable>.ckpt.

{part}
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
# Labels that are not as many as the classifier's outputs raise.
__n_labels: !apply:speechbrain.dataio.encoder.CategoricalEncoder.expect_len
    - !ref <label_encoder>
    - {n_classes}

audio_normalizer: !new:speechbrain.dataio.preprocess.AudioNormalizer
    sample_rate: !ref <sample_rate>

modules:
{modules}
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
{loadables}"""


class Definition:
    """The part of a training's YAML that inference needs.

    Arguments
    ---------
    path : str or os.PathLike
        ``hyperparams.yaml`` of a training's output folder (SpeechBrain's
        resolved copy) or of an exported folder, or the recipe's own.
    overrides : str
        Values to replace, as YAML.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ImportError
        It names a class that cannot be imported.
    ValueError
        A key is missing, a value holds an absolute path, or a class says
        (``why_not_exported``) that it serves for comparison only.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "hyperparams.yaml"
    >>> _ = path.write_text('''
    ... seed: 1
    ... sample_rate: 16000
    ... compute_features: !new:speechbrain.lobes.features.Fbank
    ... mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    ...     norm_type: sentence
    ... embedding_model: !new:torch.nn.Identity
    ... classifier: !new:torch.nn.Identity
    ... ''')
    >>> definition = Definition(path)
    >>> sorted(definition.objects)[-1], definition.sample_rate
    ('torch.nn.Identity', 16000)
    >>> definition.build()["classifier"]
    Identity()
    >>> print(definition.write(["classifier"], n_classes=2))
    # Inference hyperparameters of an exported model (speechbrain-hrf).
    ...
    pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
        loadables:
            classifier: !ref <classifier>
            label_encoder: !ref <label_encoder>
    <BLANKLINE>
    """

    def __init__(
        self, path: str | os.PathLike[str], overrides: str = ""
    ) -> None:
        self.path = pathlib.Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(
                f"{self.path} is missing: give the output folder of a "
                "training (SpeechBrain writes hyperparams.yaml there), or a "
                "checkpoint inside it."
            )
        self._tree = yaml_tree.read(self.path, overrides)
        needed = ("sample_rate", *INTERFACE)
        missing = [key for key in needed if key not in self._tree]
        if missing:
            raise ValueError(
                f"{self.path} has no {', '.join(missing)}. The exported model "
                "is loaded by SpeechBrain's EncoderClassifier, so the YAML "
                f"needs the top-level keys {', '.join(needed)}: rename yours, "
                "or add them with !ref (sample_rate is a number: the Hz of "
                "the audio that the model was trained on)."
            )
        self._part = yaml_tree.strip({key: self._tree[key] for key in needed})
        rate = self._tree["sample_rate"]
        try:
            # True would count as 1.
            self.sample_rate = int(str(rate) if rate is True else rate)  # Hz
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{self.path}: sample_rate is {rate!r}, but must be the Hz of "
                "the audio that the model was trained on, such as 16000."
            ) from error
        # Class of the embedding model, without its module.
        called = yaml_tree.call(self._part["embedding_model"])
        self.model_name = called[1].rpartition(".")[2] if called else "model"
        # The classes and functions that the YAML calls, by name.
        self.objects = {}
        for node, verb, name in yaml_tree.calls(self._part):
            found = self._locate(verb, name)
            name = _importable_name(name, found)
            yaml_tree.set_call(node, verb, name)
            self.objects[name] = found
        self._refuse_absolute_paths()

    def value(self, key: str, default: str) -> str:
        """A plain top-level value of the training's YAML.

        Arguments
        ---------
        key : str
            Its name.
        default : str
            What to give if there is none, or null.

        Returns
        -------
        str
        """
        found = self._tree.get(key)
        return default if found is None else str(found)

    def build(self) -> Modules:
        """Builds the four modules, plain and with fresh parameters.

        Returns
        -------
        dict
            Module by name.

        Raises
        ------
        ValueError
            One cannot be built, or is no module.
        """
        try:
            built = load_hyperpyyaml(yaml_tree.dump(self._part))
        except Exception as error:  # a class may raise anything
            # HyperPyYAML raises in parts what a class says of its arguments.
            said = ": ".join(map(str, error.args))
            raise ValueError(
                f"{self.path}: its modules cannot be built "
                f"({type(error).__name__}: {said})."
            ) from error
        for key in INTERFACE:
            if not isinstance(built[key], nn.Module):
                raise ValueError(
                    f"{self.path}: {key} is {built[key]!r}, but "
                    "EncoderClassifier needs a torch.nn.Module."
                )
        return {key: built[key] for key in INTERFACE}

    def segment_frames(self, embedding_model: nn.Module) -> int | None:
        """Frames of a segment of the training.

        Arguments
        ---------
        embedding_model : torch.nn.Module
            Frames of the windows in which it embeds long audio are taken if
            the YAML has no segment_frames.

        Returns
        -------
        int or None
            None if neither says.
        """
        frames = self.value("segment_frames", "")
        if frames.isdigit():
            return int(frames) or None
        return getattr(embedding_model, "segment_frames", None)

    def hrf_arguments(self) -> dict[str, Any]:
        """What a recipe's YAML has ``apply_hrf`` called with.

        What was expanded in a training, its checkpoint says.

        Returns
        -------
        dict
            Its keyword arguments; empty if the YAML names no modules.
        """
        options = {k: self._tree[k] for k in HRF_OPTIONS if k in self._tree}
        loaded = load_hyperpyyaml(yaml_tree.dump(yaml_tree.strip(options)))
        if not loaded.get("hrf_modules"):
            return {}
        return {HRF_OPTIONS[key]: value for key, value in loaded.items()}

    def describe(self) -> dict[str, Any]:
        """How the four modules are built, as plain data.

        Returns
        -------
        dict
            See ``to_plain``; it fits into JSON.
        """
        return {
            key: to_plain(self._part[key], self.objects) for key in INTERFACE
        }

    def saved_as(self, key: str) -> list[str]:
        """Names under which a training's checkpointer may save a module.

        Arguments
        ---------
        key : str
            One of the four.

        Returns
        -------
        list of str
            The key itself first.
        """
        checkpointer = self._tree.get("checkpointer")
        recoverables: Mapping[str, Any] = {}
        if hasattr(checkpointer, "get"):
            recoverables = checkpointer.get("recoverables") or {}
        node = self._tree[key]
        others = [name for name in recoverables if recoverables[name] is node]
        return list(dict.fromkeys([key, *others]))

    def write(
        self,
        loadables: Sequence[str],
        n_classes: int,
        rename: Mapping[str, str] | None = None,
        hook: str | None = None,
    ) -> str:
        """The YAML for ``EncoderClassifier.from_hparams``.

        Arguments
        ---------
        loadables : list of str
            Modules that have a ``.ckpt`` file; the label encoder comes on top.
        n_classes : int
            Labels of the label encoder.
        rename : dict, optional
            New dotted name by dotted name, for classes that live elsewhere.
        hook : str, optional
            Dotted name of the function that loads the loadables that are
            classes of ``rename``; default SpeechBrain's choice.

        Returns
        -------
        str
        """
        part = yaml_tree.strip(self._part)
        for node, verb, name in yaml_tree.calls(part):
            yaml_tree.set_call(node, verb, (rename or {}).get(name, name))
        text = _TEXT.format(
            header=HEADER,
            # A blank line before each top-level key.
            part=re.sub(r"\n(?=\w)", "\n\n", yaml_tree.dump(part)),
            n_classes=n_classes,
            modules=_refer(INTERFACE, "    "),
            loadables=_refer((*loadables, "label_encoder"), "        "),
        )
        if hook:
            text += (
                "    custom_hooks:\n"
                f"        embedding_model: !name:{hook}\n"
                f"        classifier: !name:{hook}\n"
            )
        return text

    def _locate(self, verb: str, name: str) -> Any:
        try:
            found, why = pydoc.locate(name), ""
        except pydoc.ErrorDuringImport as error:  # what the module raises
            found, why = None, f" ({error})"
        if found is None:
            raise ImportError(
                f"{self.path}: {verb}{name} names nothing that can be "
                f"imported here{why}. Run the export where the training ran, "
                "or put the module's folder on PYTHONPATH."
            )
        # Features may be there only to be compared with.
        if why_not := getattr(found, "why_not_exported", None):
            raise ValueError(f"{self.path} cannot be exported: {why_not}")
        return found

    def _refuse_absolute_paths(self) -> None:
        for where, node in yaml_tree.walk(self._part):
            value = getattr(node, "value", node)  # of a tagged scalar
            if isinstance(value, str) and os.path.isabs(value):
                raise ValueError(
                    f"{self.path}: {where} is the absolute path {value}, which "
                    "means nothing on another machine. Give a relative path, "
                    "or a name on the Hugging Face Hub."
                )


def _importable_name(name: str, found: Any) -> str:
    # An alias that one package puts into another's namespace exists only once
    # the first one is imported; the object's own name always imports.
    module = getattr(found, "__module__", None) or ""
    own = f"{module}.{getattr(found, '__qualname__', '')}"
    is_alias = module.partition(".")[0] not in ("", name.partition(".")[0])
    return own if is_alias and pydoc.locate(own) is found else name


def _refer(keys: Sequence[str], indent: str) -> str:
    return "".join(f"{indent}{key}: !ref <{key}>\n" for key in keys)
