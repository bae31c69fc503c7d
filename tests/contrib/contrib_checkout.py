"""A checkout of SpeechBrain, made of what of it is installed.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import importlib.util
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRIB = ROOT / "contrib"
INSTALLED = pathlib.Path(
    importlib.util.find_spec("speechbrain").submodule_search_locations[0]
)
sys.path.insert(0, str(CONTRIB))

# Where a change set adds to SpeechBrain's own files, in their form.
README = """\
| Emotion Classification | [IEMOCAP](recipes/IEMOCAP), [ZED](recipes/ZED) |
"""
IEMOCAP_README = """\
# Emotion recognition experiments with IEMOCAP

# Results
| Release | hyperparams file |

# Training Time
About 40 s for each epoch.
"""
IEMOCAP_ROW = {
    "Task": "Emotion_recognition",
    "Dataset": "IEMOCAP",
    "Script_file": "recipes/IEMOCAP/emotion_recognition/train.py",
    "Hparam_file": "recipes/IEMOCAP/emotion_recognition/hparams/train.yaml",
    "Data_prep_file": "recipes/IEMOCAP/emotion_recognition/iemocap_prepare.py",
    "Readme_file": "recipes/IEMOCAP/README.md",
    "Result_url": "",
    "HF_repo": "",
    "test_debug_flags": "--skip_prep=True",
    "test_debug_checks": "file_exists=[train_log.txt]",
    "performance": "Test-Accuracy=77.0%",
}


def git(folder, *arguments):
    """Output of git, by a person of no name."""
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org")
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def make_skeleton(folder):
    """Writes and commits it."""
    texts = {
        "speechbrain/version.txt": "1.1.2\n",
        "speechbrain/utils/checkpoints.py": (
            INSTALLED / "utils/checkpoints.py"
        ).read_text(encoding="utf-8"),
        "README.md": README,
        "recipes/IEMOCAP/README.md": IEMOCAP_README,
        "recipes/IEMOCAP/emotion_recognition/train.py": '"""Its own."""\n',
        "recipes/IEMOCAP/emotion_recognition/hparams/train.yaml": (
            "skip_prep: False\n"
        ),
        "recipes/IEMOCAP/emotion_recognition/iemocap_prepare.py": (
            'def prepare_data():\n    """Its own."""\n'
        ),
        "tests/unittests/test_checkpoints.py": (
            "def test_its_own():\n    assert True\n"
        ),
        # Its settings lie in its pyproject.toml.
        "ruff.toml": (CONTRIB / "upstream/ruff.toml").read_text("utf-8"),
        ".yamllint.yaml": (ROOT / ".yamllint.yaml").read_text("utf-8"),
        ".dict-speechbrain.txt": "fo\n",  # codespell:ignore fo
        ".gitignore": "__pycache__\n",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    table = folder / "tests/recipes/IEMOCAP.csv"
    table.parent.mkdir(parents=True)
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, IEMOCAP_ROW, lineterminator="\n")
        writer.writeheader()
        writer.writerow(IEMOCAP_ROW)
    table.write_text(table.read_text().rstrip("\n"))  # as its own ends
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "SpeechBrain")
    return folder


def make_samples(root, seconds=1.0):
    """The recordings that its recipe tests run on: eight, of four emotions."""
    import soundfile

    from speechbrain_hrf.dataio.synthetic.voice import synthesize

    emotions = ("anger", "happiness", "neutrality", "sadness")
    audio = root / "tests/samples/ASR"
    audio.mkdir(parents=True)
    (root / "tests/samples/annotation").mkdir()
    for split in ("train", "dev"):
        manifest = {}
        for number in range(8):
            name = f"{split}_{number}"
            wave = synthesize("calm", "A", "female", number, seconds, 16000)
            soundfile.write(audio / f"{name}.wav", wave, 16000)
            manifest[name] = {
                "wav": f"{{data_root}}/{name}.wav",
                "emo": emotions[number % 4],
                # Others of its recipes read these.
                "label": "THE CHILD ALMOST HURT THE SMALL DOG",
            }
        path = root / f"tests/samples/annotation/ASR_{split}.json"
        path.write_text(json.dumps(manifest))
