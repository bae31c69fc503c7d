"""What an export says when it is done.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import textwrap
from dataclasses import dataclass, field
from typing import Any

from tabulate import tabulate

from speechbrain_hrf.export.bundle import CLASSNAME

_LOAD = """\
from speechbrain.inference.classifiers import EncoderClassifier
classifier = EncoderClassifier.from_hparams(source="{source}")
"""
_LOAD_STANDALONE = """\
from speechbrain.inference.interfaces import foreign_class
classifier = foreign_class(
    source="{source}",
    hparams_file="hyperparams_standalone.yaml",
    pymodule_file="{module}.py",
    classname="{classname}",
)
"""
_CLASSIFY = """\
log_probabilities, score, index, label = classifier.classify_file("speech.wav")"""


@dataclass
class ExportReport:
    """What was exported; ``print`` shows it.

    Arguments
    ---------
    folder : pathlib.Path
        The exported folder.
    checkpoint : pathlib.Path
        Where the parameters come from.
    model : str
        Name of the model's class.
    labels : list of str
        In the order of the outputs.
    sample_rate : int
        Hz
    trained_parameters, merged_parameters : int
        Number of parameters.
    hrf : dict
        See ``describe_expansion``; empty without HRF.
    max_difference : float
        Largest difference to the trained model's log-probabilities, in a
        fresh process.
    audio : str
        On what they were compared.
    module : str
        Of the file with the model's classes; empty if SpeechBrain has them.
    only_bundled : bool
        Whether that file is the only place where some of them can be had:
        they lay beside the recipe, and are of no package.
    refused : str
        Why ``hrf classify --safe`` does not load it; empty if it does.
    onnx : str
        What the export to ONNX found; empty without it.
    c : str
        What the export to C found; empty without it.
    lost : str
        Which files of an export that was replaced are gone with it; empty if
        none is.
    files : dict
        Bytes by file name.

    Example
    -------
    >>> report = ExportReport(
    ...     pathlib.Path("model"), pathlib.Path("CKPT+1"), "Conformer", ["sad"],
    ...     16000, 6480, 2816, {}, 1.2e-7, "4 recordings of the test set",
    ...     files={"README.md": 2846, "classifier.ckpt": 12846},
    ... )
    >>> print(report)
    Exported CKPT+1 to model
      README.md         2,846 bytes
      classifier.ckpt  12,846 bytes
    Parameters: 6,480 in training, 2,816 merged
    Loaded in a fresh process, it differs from the trained model by 1.2e-07 on
    4 recordings of the test set
    Load it with:
      from speechbrain.inference.classifiers import EncoderClassifier
      classifier = EncoderClassifier.from_hparams(source="model")
      ...
    """

    folder: pathlib.Path
    checkpoint: pathlib.Path
    model: str
    labels: list[str]
    sample_rate: int
    trained_parameters: int
    merged_parameters: int
    hrf: dict[str, Any]
    max_difference: float
    audio: str
    module: str = ""
    only_bundled: bool = False
    refused: str = ""
    onnx: str = ""
    c: str = ""
    lost: str = ""
    files: dict[str, int] = field(default_factory=dict)

    @property
    def load(self) -> str:
        """str: Python that loads the folder wherever SpeechBrain is.

        And, where the classes are this package's, this package.
        """
        return self.write_code(self.folder.as_posix(), self.only_bundled)

    def write_code(self, source: str, standalone: bool) -> str:
        """Python that loads the model and classifies a file.

        Arguments
        ---------
        source : str
            Where it lies.
        standalone : bool
            With the classes of the bundled file; empty if there is none.

        Returns
        -------
        str
        """
        if not standalone:
            return _LOAD.format(source=source) + _CLASSIFY
        if not self.module:
            return ""
        load = _LOAD_STANDALONE.format(
            source=source, module=self.module, classname=CLASSNAME
        )
        return load + _CLASSIFY

    def __str__(self) -> str:
        files = tabulate(
            [(name, f"{size:,} bytes") for name, size in self.files.items()],
            tablefmt="plain",
            disable_numparse=True,
            colalign=("left", "right"),
        )
        lines = [
            f"Exported {self.checkpoint.name} to {self.folder}",
            textwrap.indent(files, "  "),
            f"Parameters: {self.trained_parameters:,} in training, "
            f"{self.merged_parameters:,} merged",
            f"Loaded in a fresh process, it differs from the trained model "
            f"by {self.max_difference:.1e} on {self.audio}",
            *self.onnx.splitlines(),
            *self.c.splitlines(),
            *self.lost.splitlines(),
            *(
                [f"Not loaded by --safe: {self.refused}"]
                if self.refused
                else []
            ),
            "Load it with:",
            textwrap.indent(self.load, "  "),
        ]
        return "\n".join(lines)
