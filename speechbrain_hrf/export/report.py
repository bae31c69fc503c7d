"""What an export says when it is done.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from typing import NamedTuple


class ExportReport(NamedTuple):
    """What was exported; ``print`` shows it.

    Arguments
    ---------
    folder : pathlib.Path
        The exported folder.
    files : dict
        Bytes by file name.
    checkpoint : pathlib.Path
        Where the parameters come from.
    trained_parameters, merged_parameters : int
        Number of parameters.
    max_difference : float
        Largest difference to the trained model's log-probabilities, in a
        fresh process.
    audio : str
        On what they were compared.
    load : str
        Three lines of Python that load the folder.
    load_standalone : str
        The same without this package; empty if those three do.
    onnx : str
        What the export to ONNX found; empty without it.

    Example
    -------
    >>> report = ExportReport(
    ...     pathlib.Path("model"), {"README.md": 2846}, pathlib.Path("CKPT+1"),
    ...     6480, 2816, 1.2e-7, "4 recordings of the test set", "load()", "",
    ... )
    >>> print(report)
    Exported CKPT+1 to model
      README.md     2,846 bytes
    Parameters: 6,480 in training, 2,816 merged
    Loaded in a fresh process, it differs from the trained model by 1.2e-07 on
    4 recordings of the test set
    Load it with:
      load()
    """

    folder: pathlib.Path
    files: dict
    checkpoint: pathlib.Path
    trained_parameters: int
    merged_parameters: int
    max_difference: float
    audio: str
    load: str
    load_standalone: str
    onnx: str = ""

    def __str__(self):
        width = max(map(len, self.files))
        lines = [
            f"Exported {self.checkpoint.name} to {self.folder}",
            *(
                f"  {name:{width}} {size:>9,} bytes"
                for name, size in self.files.items()
            ),
            f"Parameters: {self.trained_parameters:,} in training, "
            f"{self.merged_parameters:,} merged",
            f"Loaded in a fresh process, it differs from the trained model "
            f"by {self.max_difference:.1e} on {self.audio}",
            *self.onnx.splitlines(),
            "Load it with:",
            *(f"  {line}" for line in self.load.splitlines()),
        ]
        return "\n".join(lines)
