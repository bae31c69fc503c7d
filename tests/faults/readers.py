"""What reads files that others have written, each with clean files to damage.

A reader is made in an empty folder and writes its clean files there. ``path``
is the file to damage; calling the reader reads the folder and gives what was
found, as plain values. The recipes' label files are read by their whole
preparers, on corpora of a few tiny files.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import hashlib
import json
import pathlib
import shutil
import struct
import sys
import warnings

import numpy as np
import soundfile as sf
import torch
from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "studies")]

import made_up  # noqa: E402
from preparers import load_manifests, load_preparer  # noqa: E402

from speechbrain_hrf.dataio import audio, manifest, preparation  # noqa: E402
from speechbrain_hrf.dataio.features.cache import cached_features  # noqa: E402
from speechbrain_hrf.dataio.sound.probe import probe  # noqa: E402
from speechbrain_hrf.export import yaml_tree  # noqa: E402
from speechbrain_hrf.export.manifest import write_manifest  # noqa: E402
from speechbrain_hrf.results import RunResults  # noqa: E402
from speechbrain_hrf.runtime.audio import open_file  # noqa: E402
from speechbrain_hrf.runtime.folder import read_manifest  # noqa: E402
from speechbrain_hrf.studies.results import read_results  # noqa: E402
from speechbrain_hrf.studies.study import load_study  # noqa: E402
from speechbrain_hrf.training.history import (  # noqa: E402
    append_epoch,
    read_history,
)

READERS = {}
NOT_READABLE = (*(ValueError, KeyError, TypeError), *(OSError, RecursionError))


class Reader:
    """Base of all: see the top of this file."""

    kind = "text"  # or csv, json, jsonl, yaml, wav: which damages make sense

    def __init_subclass__(cls, name=None):
        if name:
            READERS[name] = cls

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.path = self.root / self.make()
        self.clean = self.path.read_bytes()

    def reference(self):
        """What another reader makes of the damaged file, if there is one."""


class Corpus(Reader):
    """A recipe's preparer; what is found are the manifests."""

    corpus: str
    options = {"max_unusable": 0.4}

    def make(self):
        data = self.root / "data"
        shutil.rmtree(data, ignore_errors=True)
        return self.write(data)

    def __call__(self):
        module = load_preparer(self.corpus)
        name = f"prepare_{self.corpus.lower().replace('-', '_')}"
        manifests = self.root / "manifests"
        shutil.rmtree(manifests, ignore_errors=True)
        getattr(module, name)(
            str(self.root / "data"), str(manifests), **self.options
        )
        return load_manifests(manifests)


class Iemocap(Corpus, name="IEMOCAP labels"):
    corpus = "IEMOCAP"

    def write(self, data):
        first = None
        for session in range(1, 6):
            dialogue = f"Ses0{session}F_impro01"
            lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"]
            for k, label in enumerate(["neu", "hap", "sad", "ang"]):
                turn = f"{dialogue}_F00{k}"
                _tone(
                    data / f"Session{session}/sentences/wav/{dialogue}"
                    f"/{turn}.wav"
                )
                lines += [
                    "",
                    f"[{k}.5 - {k}.9]\t{turn}\t{label}\t[2.5, 2.5, 2.5]",
                    f"C-E2:\t{label};\t()",
                    "A-E2:\tval 3; act 2; dom 2;\t(so it seems)",
                ]
            path = (
                data / f"Session{session}/dialog/EmoEvaluation/{dialogue}.txt"
            )
            _text(path, "\n".join(lines) + "\n")
            first = first or path
        return first.relative_to(self.root)


class _M3ed(Corpus):
    corpus = "M3ED"

    def write(self, data):
        annotation = {}
        for k, (split, series) in enumerate(
            [("train", "anjia"), ("val", "lunlu"), ("test", "nihao")]
        ):
            _text(data / f"splitInfo/movie_list_{split}.txt", f"{series}\n")
            dialog = {}
            for number, emotion in enumerate(["Neutral", "Happy", "Sad"], 1):
                key = f"{series}_1_{number}"
                _tone(data / "wav" / f"A_{key}.wav")
                dialog[key] = {
                    "StartTime": "00:00:01:00",
                    "EndTime": "00:00:02:00",
                    "Text": "words",
                    "Speaker": "A",
                    "EmoAnnotation": {
                        "EmoAnnotator1": "Happy,Neutral",
                        "final_main_emo": emotion,
                    },
                }
            speakers = {"A": {"Name": "n", "Age": str(20 + k), "Gender": "f"}}
            annotation[series] = {
                f"{series}_1": {"SpeakerInfo": speakers, "Dialog": dialog}
            }
        text = json.dumps(annotation, indent=1)
        _text(data / "annotation.json", text + "\n")
        return f"data/{self.damaged}"


class M3edAnnotation(_M3ed, name="M3ED annotation"):
    kind, damaged = "json", "annotation.json"


class M3edList(_M3ed, name="M3ED list"):
    damaged = "splitInfo/movie_list_val.txt"


class _Daic(Corpus):
    corpus, kind = "DAIC-WOZ", "csv"

    def write(self, data):
        lists = {"train": {"303": 0, "304": 1}, "dev": {"305": 0}}
        for name, labels in lists.items():
            lines = ["Participant_ID,PHQ8_Binary,PHQ8_Score,Gender"]
            lines += [f"{who},{label},4,1" for who, label in labels.items()]
            path = data / f"{name}_split_Depression_AVEC2017.csv"
            _text(path, "\n".join(lines) + "\n")
        for who in ("303", "304", "305"):
            folder = data / f"{who}_P"
            _tone(folder / f"{who}_AUDIO.wav", 16)
            _text(
                folder / f"{who}_TRANSCRIPT.csv",
                "start_time\tstop_time\tspeaker\tvalue\n"
                "0.5\t1.5\tEllie\twords\n2.0\t9.5\tParticipant\twords\n"
                "10\t14.25\tParticipant\t<laughter>\n",
            )
        return f"data/{self.damaged}"


class DaicList(_Daic, name="DAIC-WOZ list"):
    damaged = "train_split_Depression_AVEC2017.csv"


class DaicTranscript(_Daic, name="DAIC-WOZ transcript"):
    damaged = "303_P/303_TRANSCRIPT.csv"


class Nemo(Corpus, name="nEMO table"):
    corpus, kind = "nEMO", "csv"

    def write(self, data):
        speakers = load_preparer("nEMO").SPEAKERS
        lines = ["file_id\temotion\traw_text\tspeaker_id\tgender\tage"]
        for speaker in speakers:
            name = f"{speaker}_anger_1.wav"
            _tone(data / "samples" / name)
            lines.append(f"{name}\tanger\tzdanie\t{speaker}\tfemale\t25")
        _text(data / "data.tsv", "\n".join(lines) + "\n")
        return "data/data.tsv"


class Wav(Reader, name="WAV in a corpus"):
    kind = "wav"

    def make(self):
        _tone(self.root / "a.wav", 0.5)
        return "a.wav"

    def __call__(self):
        info = probe(self.path)
        wave = audio.read(self.path, sample_rate=1000)
        # Resampled, there is nothing to compare it with.
        return list(info), wave.tolist() if info.sample_rate == 1000 else None

    def reference(self):
        with contextlib.suppress(sf.SoundFileError):
            found, rate = sf.read(self.path, dtype="float32", always_2d=True)
            return self.as_found(found, rate)

    def as_found(self, samples, rate):
        info = [len(samples) / rate, rate, samples.shape[1]]
        samples = torch.from_numpy(samples).mean(1).tolist()
        return info, samples if rate == 1000 else None


class RunnersWav(Wav, name="WAV to classify"):
    def __call__(self):
        with open_file(self.path) as recording:
            chunks = [np.asarray(chunk) for chunk in recording.chunks]
            samples = np.concatenate(chunks) if chunks else np.zeros((0, 1))
            return self.as_found(samples, recording.sample_rate)

    def as_found(self, samples, rate):
        return rate, samples.tolist()


class Fingerprint(Reader, name="prepared manifest"):
    """Damaged, it is made again: what is found stays."""

    kind = "json"

    def make(self):
        self()
        return "manifests/train.json"

    def __call__(self):
        folder = self.root / "manifests"
        entry = {"wav": "{data_root}/a.wav", "duration": 1.5, "emo": "sad"}
        splits = {"train": {"a": entry}, "test": {"b": entry}}
        preparation.prepare_if_stale(
            "X", self.root, folder, {"fold": 1}, splits, ["sad"],
            lambda: splits, files=[],
        )  # fmt: skip
        assert manifest.stale_reason(folder, [], {}) is not None
        return load_manifests(folder)


class FingerprintItself(Fingerprint, name="manifests' fingerprint"):
    def make(self):
        self()
        return "manifests/fingerprint.json"


class FeatureIndex(Reader, name="features' index"):
    """Damaged, they are computed again."""

    kind, damaged = "json", "index.json"

    def make(self):
        self()
        [folder] = (self.root / "features").iterdir()
        return folder.relative_to(self.root) / self.damaged

    def __call__(self):
        clips = {"a": (3,), "b": (2,)}
        found = cached_features(
            self.root / "features", "train", clips, _eye, {"options": {}}
        )
        return [found(name).tolist() for name in clips]


class Features(FeatureIndex, name="features"):
    kind, damaged = "bytes", "features.f32"


class OnnxManifest(Reader, name="manifest.json"):
    kind = "json"

    def make(self):
        content = b"graph"
        (self.root / "model.onnx").write_bytes(content)
        written = {
            "format": 1,
            "model": "Tiny",
            "labels": ["neutral", "happy"],
            "parameters": 3236,
            "sample_rate": 16000,
            "window": {"frames": 201, "samples": 32000, "hop_samples": 8000},
            "graphs": {
                "model.onnx": {
                    "precision": "float32",
                    "opset": 18,
                    "inputs": {"wavs": ["batch", "samples"]},
                    "outputs": {"log_probabilities": ["batch", 2]},
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            },
        }
        self.write(written)
        return "manifest.json"

    def write(self, written):
        write_manifest(self.root, written)

    def __call__(self):
        return self.as_found(read_manifest(self.root))

    def as_found(self, manifest):
        return {k: manifest[k] for k in ("labels", "sample_rate", "window")}


class OlderManifest(OnnxManifest, name="manifest.json without its checksum"):
    """What it says is believed where it can be true."""

    def write(self, written):
        _text(self.root / "manifest.json", json.dumps(written, indent=1))

    def reference(self):
        with contextlib.suppress(*NOT_READABLE):
            found = self.as_found(json.loads(self.path.read_bytes()))
            window = found["window"] or {"samples": 1, "hop_samples": 1}
            numbers = found["sample_rate"] / 48_000, *window.values()
            if all(map(_is_text, found["labels"])) and all(
                0 < x < 10**6 for x in numbers
            ):
                return found


class StudyYaml(Reader, name="study YAML"):
    kind = "yaml"

    def make(self):
        _text(
            self.root / "study.yaml",
            "name: demo\noutput_folder: results/demo\nrecipe: RAVDESS\n"
            "data_folder: /data/RAVDESS\nmodels: [conformer]\n"
            "modules: [Lightweight, FFN2]\nratios: [2, 8]\nfolds: [1, 2]\n"
            "seeds: [1, 2]\nlearning_rates: [0.001]\n",
        )
        return "study.yaml"

    def __call__(self):
        return [trial.id for trial in load_study(self.path).trials]


class StudyLines(Reader, name="study's lines"):
    kind, damaged = "jsonl", "trials.jsonl"

    def make(self):
        lines, sets = made_up.study(folds=2, seeds=1, utterances=6)
        for name, objects in ("trials", lines), ("test_sets", sets):
            text = "".join(json.dumps(one) + "\n" for one in objects)
            _text(self.root / f"{name}.jsonl", text)
        return self.damaged

    def __call__(self):
        found = read_results(self.root)
        for warning in found.warnings:
            warnings.warn(warning, stacklevel=1)
        return {
            trial: {who: count.tolist() for who, count in counts.items()}
            for trial, counts in found.table[["id", "counts"]].to_numpy()
        }


class StudyTestSets(StudyLines, name="study's test sets"):
    damaged = "test_sets.jsonl"


class History(Reader, name="history.jsonl"):
    kind = "jsonl"

    def make(self):
        for epoch in (1, 2, 3):
            append_epoch(self.root, epoch, 0.001, 2.0 - epoch / 4)
        return "history.jsonl"

    def __call__(self):
        return read_history(self.root)

    def reference(self):
        """What it says is believed where it can be true."""
        if not self.path.exists():  # the training has not begun
            return []
        with contextlib.suppress(*NOT_READABLE):
            lines = self.path.read_bytes().splitlines()
            lines = [json.loads(line) for line in lines]
            for line in lines:
                epoch, *others = (
                    line[key] for key in ("epoch", "lr", "train_loss")
                )
                others = [0 if x is None else x for x in others]
                if not _is_count(epoch) or not all(map(_is_number, others)):
                    return None
            return sorted(lines, key=lambda line: line["epoch"])


class Metrics(Reader, name="test_metrics.json"):
    kind = "json"

    def make(self):
        RunResults(
            dataset="demo", seed=1, labels=["neu", "sad"], UA=0.5, WA=0.5,
            confusion=[[1, 1], [0, 0]], checkpoint="save/CKPT+1", n_test=2,
        ).write(self.root)  # fmt: skip
        return "test_metrics.json"

    def __call__(self):
        found = RunResults.read(self.root)
        return self.as_found(vars(found))

    def as_found(self, values):
        keys = ("UA", "confusion", "checkpoint")
        return [values.get("labels", []), *map(values.get, keys)]

    def reference(self):
        """What it says is believed where it can be true."""
        with contextlib.suppress(*NOT_READABLE):
            found = json.loads(self.path.read_bytes())
            labels, score, confusion, checkpoint = self.as_found(found)
            counts = sum(confusion or [], [])
            size = len(labels) ** 2 if confusion else 0
            if (
                all(isinstance(label, str) for label in labels)
                and (score is None or _is_number(score) and 0 <= score <= 1)
                and all(x == 0 or _is_count(x) for x in counts)
                and len(counts) == size
                and isinstance(checkpoint, str | None)
            ):
                return self.as_found(found)


class ExportedYaml(Reader, name="exported YAML"):
    kind = "yaml"

    def make(self):
        folder = TESTS / "export" / "exported_before"
        text = (folder / "hyperparams.yaml").read_text(encoding="utf-8")
        _text(self.root / "hyperparams.yaml", text)
        return "hyperparams.yaml"

    def __call__(self):
        return yaml_tree.dump(yaml_tree.strip(yaml_tree.read(self.path)))

    def reference(self):
        """What is YAML is read as it is; what runs it looks at the values."""
        if self.path.is_file() and self.path.stat().st_size < 10**5:
            text = self.path.read_bytes()
            with contextlib.suppress(YAMLError, *NOT_READABLE):
                if b"*a8" not in text:  # it would become a billion values
                    tree = YAML().load(resolve_references(text.decode()))
                    return yaml_tree.dump(yaml_tree.strip(tree))


def _is_count(value):
    return type(value) is int and 0 < value < 10**6


def _is_number(value):
    return type(value) in (int, float) and np.isfinite(float(value))


def _is_text(value):
    return isinstance(value, str) and value != ""


def _eye(size):
    return torch.eye(size, 3)


def _text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def _tone(path, seconds=0.1, rate=1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    sf.write(path, 0.3 * np.sin(300 * time), rate, subtype="PCM_16")


def wav_bytes(
    samples=b"", *, kind=1, channels=1, rate=1000, bits=16, size=None
):
    """A WAV file whose header may say anything."""
    frame = channels * bits // 8
    about = struct.pack(
        "<HHIIHH",
        *(kind, channels, rate, rate * frame % 2**32, frame % 2**16, bits),
    )
    size = len(samples) if size is None else size
    body = b"WAVEfmt " + struct.pack("<I", 16) + about
    body += b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
