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

from hyperpyyaml import load_hyperpyyaml

from speechbrain_hrf.export import yaml_tree

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


class Definition:
    """The part of a training's YAML that inference needs.

    Arguments
    ---------
    path : str or os.PathLike
        ``hyperparams.yaml`` of a training's output folder (SpeechBrain's
        resolved copy), or the recipe's own.

    Raises
    ------
    FileNotFoundError
        There is no such file.
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
    >>> sorted(definition.objects)[-1]
    'torch.nn.Identity'
    >>> definition.build()["classifier"]
    Identity()
    >>> print(definition.text(["classifier"], n_classes=2))
    # Inference hyperparameters of an exported model (speechbrain-hrf).
    ...
    pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
        loadables:
            classifier: !ref <classifier>
            label_encoder: !ref <label_encoder>
    <BLANKLINE>
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(
                f"{self.path} is missing: give the output folder of a "
                "training (SpeechBrain writes hyperparams.yaml there), or a "
                "checkpoint inside it."
            )
        self._tree = yaml_tree.read(self.path)
        needed = ("sample_rate", *INTERFACE)
        missing = [key for key in needed if key not in self._tree]
        if missing:
            raise ValueError(
                f"{self.path} has no {', '.join(missing)}. The exported model "
                "is loaded by SpeechBrain's EncoderClassifier, so the YAML "
                f"needs the top-level keys {', '.join(needed)}: rename yours, "
                "or add them with !ref."
            )
        self._part = yaml_tree.stripped(
            {key: self._tree[key] for key in needed}
        )
        for node in yaml_tree.calls(self._part):
            # Features may be there only to be compared with.
            found = pydoc.locate(yaml_tree.call(node)[1])
            why_not = getattr(found, "why_not_exported", None)
            if why_not:
                raise ValueError(f"{self.path} cannot be exported: {why_not}")
        for where, value in yaml_tree.strings(self._part):
            if os.path.isabs(value):
                raise ValueError(
                    f"{self.path}: {where} is the absolute path {value}, which "
                    "means nothing on another machine. Give a relative path, "
                    "or a name on the Hugging Face Hub."
                )
        self._objects = {}
        for node in yaml_tree.calls(self._part):
            verb, name = yaml_tree.call(node)
            found = pydoc.locate(name)
            if found is None:
                raise ImportError(
                    f"{self.path}: {verb}{name} names nothing that can be "
                    "imported here. Run the export where the training ran, or "
                    "put the module's folder on PYTHONPATH."
                )
            name = yaml_tree.importable_name(name, found)
            yaml_tree.set_call(node, verb, name)
            self._objects[name] = found

    @property
    def objects(self):
        """dict: The classes and functions that the YAML calls, by name."""
        return dict(self._objects)

    @property
    def sample_rate(self):
        """int: Rate of the audio, Hz."""
        return int(self._tree["sample_rate"])

    @property
    def model_name(self):
        """str: Class of the embedding model, without its module."""
        node = self._part["embedding_model"]
        _, name = yaml_tree.call(node) or ("", "model")
        return name.rpartition(".")[2]

    def value(self, key, default):
        """A plain top-level value of the training's YAML.

        Arguments
        ---------
        key : str
            Its name.
        default : str
            What to give if there is none.

        Returns
        -------
        str
        """
        return str(self._tree.get(key, default))

    def build(self):
        """Builds the four modules, plain and with fresh parameters.

        Returns
        -------
        dict
            Module by name.
        """
        built = load_hyperpyyaml(yaml_tree.dumped(self._part))
        return {key: built[key] for key in INTERFACE}

    def hrf_arguments(self):
        """What ``apply_hrf`` was called with in training.

        Returns
        -------
        dict
            Its keyword arguments; empty if the model was not expanded.
        """
        options = {
            key: self._tree[key] for key in HRF_OPTIONS if key in self._tree
        }
        if not options:
            return {}
        loaded = load_hyperpyyaml(yaml_tree.dumped(yaml_tree.stripped(options)))
        if not loaded.get("hrf_modules"):
            return {}
        return {HRF_OPTIONS[key]: value for key, value in loaded.items()}

    def saved_as(self, key):
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
        recoverables = {}
        if hasattr(checkpointer, "get"):
            recoverables = checkpointer.get("recoverables") or {}
        node = self._tree[key]
        others = [name for name in recoverables if recoverables[name] is node]
        return list(dict.fromkeys([key, *others]))

    def text(self, loadables, n_classes, rename=None, hook=None):
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
        part = yaml_tree.stripped(self._part)
        for node in yaml_tree.calls(part):
            verb, name = yaml_tree.call(node)
            yaml_tree.set_call(node, verb, (rename or {}).get(name, name))
        lines = [
            HEADER,
            "# Every file that it names lies beside it, as <loadable>.ckpt.",
            "",
            # A blank line before each top-level key.
            re.sub(r"\n(?=\w)", "\n\n", yaml_tree.dumped(part))
            + _TAIL.format(n_classes=n_classes),
            *(f"        {key}: !ref <{key}>" for key in loadables),
            "        label_encoder: !ref <label_encoder>",
        ]
        if hook:
            lines.append("    custom_hooks:")
            for key in ("embedding_model", "classifier"):
                lines.append(f"        {key}: !name:{hook}")
        return "\n".join(lines) + "\n"


_TAIL = """
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
# Labels that are not as many as the classifier's outputs raise.
__n_labels: !apply:speechbrain.dataio.encoder.CategoricalEncoder.expect_len
    - !ref <label_encoder>
    - {n_classes}

audio_normalizer: !new:speechbrain.dataio.preprocess.AudioNormalizer
    sample_rate: !ref <sample_rate>

modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    classifier: !ref <classifier>

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:"""
