"""Prints a file's label, and the memory that it took at most; one process.

    python benchmarks/first_label.py {eager,ONNX} FOLDER FILE

``start`` starts and times such a process. Linux only: other systems do not say
what a process itself has held at most.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()


def eager(folder, file):
    """As SpeechBrain's users do it."""
    import torch
    from speechbrain.inference.classifiers import EncoderClassifier

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as savedir:
        classifier = EncoderClassifier.from_hparams(folder, savedir=savedir)
        *_, labels = classifier.classify_file(file)
    print(*labels, flush=True)


def onnx(folder, file):
    """The runner's own command."""
    from speechbrain_hrf.runtime.__main__ import main

    if main([folder, file]):
        sys.exit(1)
    sys.stdout.flush()


def peak_bytes():
    """The most memory that this process has held.

    Returns
    -------
    int
    """
    with open("/proc/self/status", encoding="ascii") as stream:
        for line in stream:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    raise OSError("/proc/self/status has no VmHWM: this is not Linux.")


ENGINES = {"eager": eager, "ONNX": onnx}


def start(engine, folder, file):
    """Seconds to the first label in a fresh process, and its peak memory.

    Arguments
    ---------
    engine : str
        One of ``ENGINES``.
    folder : pathlib.Path
    file : pathlib.Path
        The recording.

    Returns
    -------
    float
        Seconds.
    int
        Bytes.
    """
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, HERE, engine, folder, file],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    ) as process:
        process.stdout.readline()
        seconds = time.perf_counter() - begin
        rest = process.stdout.read().split()
    if process.returncode:
        raise RuntimeError(
            f"{HERE.name} {engine} {folder} failed: run it to see why."
        )
    return seconds, int(rest[-1])


if __name__ == "__main__":
    engine, folder, file = sys.argv[1:]
    ENGINES[engine](folder, file)
    print(peak_bytes(), flush=True)
