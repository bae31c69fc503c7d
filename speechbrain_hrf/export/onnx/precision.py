"""Adds a version with rounded parameters to an exported folder, if it gains.

Size, time and accuracy before and after are measured, and what they amount to
is said in a sentence; see ``verdict`` and ``rounding``.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
from typing import NamedTuple

import onnx

from speechbrain_hrf.export.onnx.comparison import compare
from speechbrain_hrf.export.onnx.graphs import WAVEFORM
from speechbrain_hrf.export.onnx.manifest import MANIFEST, fingerprint
from speechbrain_hrf.export.onnx.rounding import check_precision, stored_as
from speechbrain_hrf.export.onnx.verdict import Comparison

FILES = {"int8": "model.int8.onnx", "fp16": "model.fp16.onnx"}


class PrecisionReport(NamedTuple):
    """What came of storing a model's parameters in another precision.

    Arguments
    ---------
    precision : str
        int8 or fp16.
    file : str
        Its name.
    kept : bool
        Whether the file is in the folder.
    comparison : Comparison
        With the float32 file.

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.verdict import EXAMPLE
    >>> print(PrecisionReport("int8", "model.int8.onnx", True, EXAMPLE))
    model.int8.onnx:
      size      50,000 -> 25,000 bytes
      ...
      A gain: 50 % smaller, and the same time within noise, at WA 0.5000 ->
      0.5000, UA 0.4900 -> 0.4950, 239 of 240 labels unchanged.
    """

    precision: str
    file: str
    kept: bool
    comparison: Comparison

    def __str__(self):
        _, sentence = self.comparison.verdict()
        name = self.file if self.kept else f"{self.file} (not kept)"
        lines = (*self.comparison.lines(), sentence)
        return "\n".join([f"{name}:", *(f"  {line}" for line in lines)])


def add_precision(folder, precision, recordings=(), keep=False):
    """Stores a folder's ``model.onnx`` in another precision, and compares.

    Arguments
    ---------
    folder : str or os.PathLike
        With ``model.onnx`` and ``manifest.json``; both may still be in
        staging.
    precision : str
        int8 or fp16.
    recordings : sequence of (path, label)
        Of the test set, labels of the manifest's; None where there is none.
        Nothing is fitted to them: only weights are rounded.
    keep : bool
        Whether the file stays, and is listed in the manifest, even if it is
        no gain; the manifest then says so.

    Returns
    -------
    PrecisionReport

    Raises
    ------
    FileNotFoundError
        The folder lacks one of the two files.
    ValueError
        There is no such precision, or there is nothing in the graph to round.

    Example
    -------
    >>> import shutil
    >>> folder = getfixture("tmp_path") / "model"
    >>> _ = shutil.copytree(getfixture("onnx_folder"), folder)
    >>> report = add_precision(folder, "int8")
    >>> report.kept, (folder / "model.int8.onnx").exists()
    (False, False)
    >>> print(report.comparison.verdict()[1])
    No gain ...
    """
    check_precision(precision)
    folder = pathlib.Path(folder)
    for name in (WAVEFORM, MANIFEST):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder} has no {name}: export with --onnx first."
            )
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    before = (folder / WAVEFORM).read_bytes()
    after = stored_as(onnx.load_from_string(before), precision)
    after = after.SerializeToString()
    comparison = compare(
        before, after, recordings, manifest["labels"], manifest["sample_rate"]
    )
    gain, sentence = comparison.verdict()
    file, kept = FILES[precision], gain or keep
    # What an earlier call has left must not outlive its figures.
    manifest["graphs"].pop(file, None)
    (folder / file).unlink(missing_ok=True)
    if kept:
        (folder / file).write_bytes(after)
        manifest["graphs"][file] = {
            **manifest["graphs"][WAVEFORM],
            "precision": f"float32, parameters stored as {precision}",
            **fingerprint(after),
            "max_difference": comparison.max_difference,
            "verified_on": comparison.audio,
            "gain": gain,
            "reason": sentence,
            "comparison": comparison._asdict(),
        }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return PrecisionReport(precision, file, kept, comparison)
