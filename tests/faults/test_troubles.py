"""Disk or shared memory full, clock set back, two runs in one folder, folder gone.

Each ends in a sentence that names the folder, or goes on right; what is run
again afterwards leaves what an undisturbed run leaves, bit for bit.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys

import pytest
import runs
from runs import SECONDS, training
from test_killed_training import SEED

# What nobody understands who has not written it.
RAW = re.compile(
    r"^(?!FileNotFoundError|OSError|PermissionError|ValueError)"
    r"(?:\w+\.)*\w*(?:Error|Exception)\b:?|unexpected pos|enforce fail",
    re.MULTILINE,
)


def last_words(said):
    """The error that a command ends with; above it stands where it was."""
    return "\n".join(said.strip().splitlines()[-1:])


def ends_right(said, folder):
    """What is wrong with how a command ended."""
    words = last_words(said)
    wrong = []
    if RAW.search(words) or len(words) > 700:
        wrong.append(f"raw: {words[:500]}")
    if str(folder) not in words:
        wrong.append(f"{folder} is not named: {words[:500]}")
    return wrong


def as_undisturbed(forks, argv, folder, reference):
    """Runs a command again; what is not as in an undisturbed run."""
    status, said = forks(argv, folder.with_name(f"{folder.name}.log"))
    if status:
        return [said[-3000:]]
    results = [runs.result(each / "run") for each in (folder, reference)]
    return runs.differences(*results) + runs.leftovers(folder)


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    """A real file system of so many kB; None where none can be mounted."""
    folder.mkdir(exist_ok=True)
    size = f"size={kilobytes}k"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("number", range(1, 7))
def test_disk_full(forks, shared, undisturbed, tmp_path, count, number):
    """At a file that grows too large, and where possible on a small disk."""
    reference, _ = undisturbed("shared")
    chance = random.Random(f"{SEED} disk {number}")
    argv = training(tmp_path, shared, "shared")
    log = tmp_path.with_name(f"{tmp_path.name}.log")
    disk = tmp_path / "run"
    with small_disk(disk, chance.choice([40, 80, 120, 160, 240])) as mounted:
        fault = None
        if number % 2 or mounted is None:
            # Above it the log of the run is written as well: 54 kB.
            n = chance.randint(1, 8)
            size = chance.randint(100, 4000)
            fault = {"at": "save", "n": n, "bytes": size, "do": "full"}
        status, said = forks(argv, log, fault)
        wrong = ends_right(said, disk) if status else []
        if mounted and not list(disk.glob("save/CKPT*")):
            wrong += [x for x in runs.leftovers(disk) if "CKPT" in x]
        if mounted:  # room is made: all goes to a large disk
            kept = tmp_path / "kept"
            shutil.copytree(disk, kept, symlinks=True)
    if mounted:
        disk.rmdir()
        kept.rename(disk)
    print(f"HRF_FAULTS_SEED={SEED}: {fault}, status {status}")
    print(last_words(said))
    wrong += as_undisturbed(forks, argv, tmp_path, reference)
    count("disk", tried=1, lost=bool(wrong))
    assert not wrong, wrong


@pytest.mark.parametrize("kilobytes", [84, 88, 92])
def test_disk_full_in_a_process_of_its_own(shared, tmp_path, count, kilobytes):
    """While SpeechBrain writes small files, or can write no log."""
    with small_disk(tmp_path / "run", kilobytes) as mounted:
        if mounted is None:
            pytest.skip("no file system can be mounted here")
        command = [sys.executable, *training(tmp_path, shared, "shared")]
        ended = subprocess.run(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            timeout=SECONDS,
        )
    print(ended.stdout[-3000:])
    wrong = ends_right(ended.stdout, tmp_path / "run")
    wrong += [] if ended.returncode == 1 else [f"status {ended.returncode}"]
    count("disk", tried=1, lost=bool(wrong))
    assert not wrong, wrong


# Full from the start; too small for a batch; large enough.
@pytest.mark.parametrize(
    "kilobytes, filled", [(1024, True), (64, False), (65536, False)]
)
def test_shared_memory_full(
    shared, undisturbed, tmp_path, count, kilobytes, filled
):
    """Workers of data loaders hand batches on through it."""
    undisturbed("shared")  # has made the features
    fill = "head -c 2M /dev/zero >/dev/shm/filled 2>/dev/null; " * filled
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs /dev/shm && {{ {fill}"
    inside = ["unshare", "-rm", "sh", "-c", f'{mount}exec "$@"; }}', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no /dev/shm of one's own can be mounted here")
    command = [sys.executable, *training(tmp_path, shared, "shared")]
    ended = subprocess.run(
        [*inside, *map(str, command), "--num_workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        timeout=SECONDS,
    )
    print(ended.stdout[-3000:])
    wrong = []
    if kilobytes == 65536:
        wrong += [] if ended.returncode == 0 else [ended.stdout[-3000:]]
    else:
        words = last_words(ended.stdout)
        size = f"/dev/shm ({kilobytes / 1024:.3g} MB)"
        for part in (size, "num_workers", "docker run --shm-size=1g"):
            wrong += [] if part in words else [f"{part} is not in: {words}"]
    count("memory", tried=1, lost=bool(wrong))
    assert not wrong, wrong


@pytest.mark.parametrize("hours", [-1, -1000])
@pytest.mark.parametrize("n", [3, 10])
def test_clock_set_back(forks, shared, undisturbed, tmp_path, count, hours, n):
    """Killed, and gone on with by a clock that is behind."""
    reference, _ = undisturbed("shared")
    argv = training(tmp_path, shared, "shared")
    log = tmp_path.with_name(f"{tmp_path.name}.log")
    forks(argv, log, {"at": "step", "n": n, "do": "kill"})
    status, said = forks(argv, log, {"clock": 3600 * hours})
    wrong = [said[-3000:]] if status else []
    wrong += as_undisturbed(forks, argv, tmp_path, reference)
    count("clock", tried=1, lost=bool(wrong))
    assert not wrong, wrong


@pytest.mark.parametrize("same_options", [True, False])
def test_two_owners(forks, shared, undisturbed, tmp_path, count, same_options):
    """The second is refused while the first one runs, which ends aright."""
    from speechbrain_hrf.training.output_folder import owned_output

    reference, _ = undisturbed("shared")
    argv = training(tmp_path, shared, "shared")
    second = argv if same_options else [*argv, "--seed", "7"]
    log = tmp_path.with_name(f"{tmp_path.name}.log")
    forks(argv, log, {"at": "step", "n": 9, "do": "kill"})
    # This process is the first one; it holds the folder as a run does.
    with owned_output(tmp_path / "run"):
        before = sorted((tmp_path / "run").rglob("*"))
        status, said = forks(second, log)
        wrong = [] if status else ["the second one was let in"]
        wrong += ends_right(said, tmp_path / "run")
        if f"process {os.getpid()}" not in last_words(said):
            wrong.append(f"the owner is not named: {last_words(said)}")
        if sorted((tmp_path / "run").rglob("*")) != before:
            wrong.append("it has written something")
    wrong += as_undisturbed(forks, argv, tmp_path, reference)
    count("owners", tried=1, lost=bool(wrong))
    assert not wrong, wrong


@pytest.mark.parametrize("number", range(1, 5))
def test_output_folder_gone(
    forks, shared, undisturbed, tmp_path, count, number
):
    """Deleted between two steps, by somebody who tidies up."""
    reference, record = undisturbed("shared")
    chance = random.Random(f"{SEED} gone {number}")
    argv = training(tmp_path, shared, "shared")
    log = tmp_path.with_name(f"{tmp_path.name}.log")
    n = chance.randint(1, record.count("step"))
    fault = {"at": "step", "n": n, "do": "remove"}
    status, said = forks(argv, log, {**fault, "folder": str(tmp_path / "run")})
    print(f"HRF_FAULTS_SEED={SEED}: {fault}, status {status}")
    if status:
        wrong = ends_right(said, tmp_path / "run")
    else:
        both = (runs.result(each / "run") for each in (tmp_path, reference))
        wrong = runs.differences(*both)
    wrong += as_undisturbed(forks, argv, tmp_path, reference)
    count("gone", tried=1, lost=bool(wrong))
    assert not wrong, wrong
