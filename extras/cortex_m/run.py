"""Builds a model's firmware and runs it on an emulated board.

    python extras/cortex_m/run.py my_model speech.wav --core m7

The folder holds hrf_model.c (hrf export ... --c). Needs Debian's packages
gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

import numpy as np
import soundfile

HERE = pathlib.Path(__file__).resolve().parent
# A Cortex-M4F and a Cortex-M7.
BOARDS = {"m4": "mps2-an386", "m7": "mps2-an500"}
PROGRAMS = ("bash", "arm-none-eabi-gcc", "qemu-system-arm")
# With -icount shift=0 an instruction takes 1 ns of the board's time, whose
# clock ticks at 25 MHz.
INSTRUCTIONS_PER_TICK = 40
STACK = 8192  # set aside by cortex_m.ld
SECONDS = 300  # that an emulation may take


class Size(NamedTuple):
    """Bytes of a firmware, from arm-none-eabi-size.

    Arguments
    ---------
    flash : int
        Code and constants, and what RAM is filled with at the start.
    ram : int
        Variables, without the stack.
    """

    flash: int
    ram: int


class Run(NamedTuple):
    """What a board printed.

    Arguments
    ---------
    label : str
    log_probabilities : numpy.ndarray
    stack : int
        Bytes of the stack that were used.
    instructions : int
        In the model; to 40, and reading the recording left out.
    """

    label: str
    log_probabilities: np.ndarray
    stack: int
    instructions: int


def find_missing():
    """Programs that are not installed.

    Returns
    -------
    list of str
    """
    return [name for name in PROGRAMS if not shutil.which(name)]


def read_recording(path, folder):
    """Samples as the model's microphone gives them.

    Arguments
    ---------
    path : str
        A recording.
    folder : pathlib.Path
        With hrf_model.h, which names the model's rate.

    Returns
    -------
    numpy.ndarray
        int16
    """
    header = (folder / "hrf_model.h").read_text("utf-8")
    wanted = int(re.findall(r"HRF_SAMPLE_RATE (\d+)", header)[0])
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    channels = samples.shape[1]
    if (rate, channels) != (wanted, 1):
        raise ValueError(
            f"{path} has {rate} Hz and {channels} channel(s), but the model "
            f"hears {wanted} Hz and 1: convert it, for example by "
            f"sox {path} -r {wanted} -c 1 converted.wav"
        )
    if not len(samples):
        raise ValueError(f"{path} holds no sample: give another recording.")
    # Not read as int16: of a file of floats that would all be 0.
    scaled = np.rint(samples[:, 0] * 2.0**15)
    return np.clip(scaled, -(2**15), 2**15 - 1).astype(np.int16)


def build(folder, target, core, source="hrf_model.c"):
    """Builds the firmware.

    Arguments
    ---------
    folder : pathlib.Path
        With hrf_model.h and the source.
    target : pathlib.Path
        The ELF file.
    core : str
        m4 or m7.
    source : str
        hrf_model.c or hrf_model_int8.c.

    Returns
    -------
    Size

    Raises
    ------
    RuntimeError
        With what the compiler says.
    """
    command = ["bash", HERE / "build.sh", folder, target, core, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The firmware cannot be built: {done.stderr}")
    text, data, bss = map(int, done.stdout.splitlines()[1].split()[:3])
    return Size(text + data, data + bss - STACK)


def emulate(program, core, samples):
    """Runs a firmware.

    Arguments
    ---------
    program : pathlib.Path
        The ELF file.
    core : str
        m4 or m7.
    samples : numpy.ndarray
        int16

    Returns
    -------
    Run

    Raises
    ------
    RuntimeError
        If it ends with a fault, hangs, or has used its whole stack.
    """
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        file.write(np.asarray(samples, "<i2").tobytes())
        file.flush()
        try:
            done = subprocess.run(
                ["qemu-system-arm", "-M", BOARDS[core], "-icount", "shift=0"]
                + ["-nographic", "-monitor", "none", "-serial", "none"]
                + ["-semihosting-config", f"enable=on,arg={file.name}"]
                + ["-kernel", program],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"The emulated board has not answered in {SECONDS} s: it hangs, "
                "or the recording is too long. Give a shorter one."
            ) from None
    if done.returncode:
        raise RuntimeError(
            f"The emulated board ended with {done.returncode}: "
            f"{done.stdout}{done.stderr}"
        )
    # Semihosting's terminal is standard error or output, as QEMU likes.
    label, bits, stack, ticks = (done.stdout + done.stderr).splitlines()[-4:]
    values = [
        struct.unpack("<f", struct.pack("<I", int(word, 16)))[0]
        for word in bits.split()
    ]
    if int(stack) >= STACK:
        raise RuntimeError(
            f"All {STACK:,} bytes of the stack were used, and perhaps more: "
            "give it more in cortex_m.ld, and STACK here."
        )
    return Run(
        label,
        np.array(values, np.float32),
        int(stack),
        INSTRUCTIONS_PER_TICK * int(ticks),
    )


def main(argv=None):
    """Runs one recording; prints what the board says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("recording", help="mono, at the model's rate")
    parser.add_argument("--core", choices=BOARDS, default="m4")
    parser.add_argument("--source", default="hrf_model.c")
    options = parser.parse_args(argv)
    try:
        samples = read_recording(options.recording, options.folder)
    except (OSError, ValueError, soundfile.SoundFileError) as error:
        sys.exit(f"Error: {error}")
    missing = find_missing()
    if missing:
        sys.exit(
            f"{', '.join(missing)}: not installed. On Debian: apt-get install "
            "gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
        )
    try:
        with tempfile.TemporaryDirectory() as scratch:
            program = pathlib.Path(scratch) / "firmware.elf"
            size = build(options.folder, program, options.core, options.source)
            run = emulate(program, options.core, samples)
    except RuntimeError as error:
        sys.exit(f"Error: {error}")
    print(f"{BOARDS[options.core]}: {run.label}")
    print(" ".join(f"{value:.4f}" for value in run.log_probabilities))
    print(f"flash {size.flash:,} bytes, RAM {size.ram + run.stack:,}", end="")
    print(f" ({run.stack:,} of them stack)")
    print(f"{run.instructions:,} instructions for {len(samples):,} samples")


if __name__ == "__main__":
    main()
