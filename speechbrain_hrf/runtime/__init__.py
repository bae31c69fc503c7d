"""Runs exported models with numpy and ONNX Runtime alone.

Nothing here imports PyTorch or SpeechBrain. Of a whole waveform the answer is
``EncoderClassifier``'s; of a stream there is one at every hop, for the window
that ends there. ``python -m speechbrain_hrf.runtime`` is the command line.

A waveform walks: ``audio`` (files, standard input) -> ``waveform`` (mono, -1 to
1) -> ``resample`` -> ``windows`` (streams) -> ``session`` -> ``result`` ->
``output``.

Example
-------
>>> import numpy as np
>>> from speechbrain_hrf.runtime import Classifier
>>> classifier = Classifier(getfixture("onnx_folder"))
>>> classifier(np.zeros(16000, np.int16), 16000).label in classifier.labels
True

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.runtime.classifier import Classifier
from speechbrain_hrf.runtime.result import Combined, Result, WindowResult

__all__ = ["Classifier", "Combined", "Result", "WindowResult"]
