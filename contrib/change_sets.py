"""What each of the four pull requests to SpeechBrain holds.

A change set takes a folder with SpeechBrain's sources and writes into it; what
is there already is merged, never replaced. ``ours`` is the root of this
repository.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import csv
import io
import pathlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rewriting import (
    insert_before,
    replace_once,
    rewrite_module,
    rewrite_yaml,
)

OURS = pathlib.Path(__file__).resolve().parents[1]
TEMPLATES = pathlib.Path(__file__).resolve().parent / "upstream"
MODELS = ("convtransformer", "conformer", "speechformer")
# Keys of our recipes' YAML that serve what a recipe upstream does without: the
# stand-in corpus, kept features, studies, distillation, CUDA graphs.
_EXTRAS = {
    *("corpus", "licence", "protocol", "scored_epoch", "max_unusable"),
    *("split_name", "manifest_folder", "features", "hubert_source"),
    *("cache_features", "feature_folder", "valid_batch_size", "collate_fn"),
    *("hrf_lr_scale", "distil_from", "distil_weight", "distil_temperature"),
    *("record_steps", "cuda_graphs", "segment_features", "distillation"),
    *("hrf_optimizer", "run_notes"),
}
_DEBUG = (
    "--data_folder=tests/samples/ASR/ "
    "--train_annotation=tests/samples/annotation/ASR_train.json "
    "{valid}--test_annotation=tests/samples/annotation/ASR_dev.json "
    "--emotions=[anger,happiness,neutrality,sadness] --n_classes=4 "
    "--number_of_epochs=2 --skip_prep=True"
)
_DEBUG_VALID = "--valid_annotation=tests/samples/annotation/ASR_dev.json "
_FILES = (
    "train_log.txt,log.txt,env.log,{script},hyperparams.yaml,"
    "save/label_encoder.txt,test_report.txt,pretrained/hyperparams.yaml,"
    "pretrained/embedding_model.ckpt"
)


class ChangeSet(NamedTuple):
    """A pull request.

    Arguments
    ---------
    title : str
        First line of its commit.
    write : callable
        Takes SpeechBrain's folder, returns the relative paths it wrote.
    needs : str or None
        The change set that it lies on top of; None: upstream's main.

    Example
    -------
    >>> ChangeSet("Add HRF", list, None).needs
    """

    title: str
    write: Callable[[pathlib.Path], list[str]]
    needs: str | None


def write_hrf(root: pathlib.Path) -> list[str]:
    """HRF itself, and the three models.

    Arguments
    ---------
    root : pathlib.Path
        SpeechBrain's sources.

    Returns
    -------
    list of str
    """
    package = OURS / "speechbrain_hrf"
    sources = {
        "speechbrain/nnet/hrf": [
            *(package / "nnet").glob("*.py"),
            package / "distributed.py",
        ],
        "speechbrain/nnet/hrf/kinds": (package / "nnet/kinds").glob("*.py"),
        "speechbrain/lobes/models/hrf": (package / "lobes/models").glob("*.py"),
    }
    # A factorised checkpoint is merged on its way into a plain model; upstream
    # merges before it exports.
    cut = (
        r"from speechbrain_hrf\.inference\.transfer import .*\n",
        r"(?:#.*\n)+merge_on_transfer\(.*\)\n",
    )
    texts = {}
    for home, files in sources.items():
        for file in sorted(files):
            is_models = file.parent.name == "models"
            cuts = cut if is_models and file.name == "__init__.py" else ()
            text = file.read_text(encoding="utf-8")
            texts[f"{home}/{file.name}"] = rewrite_module(text, cuts)
    test = "tests/unittests/test_hrf.py"
    texts[test] = (TEMPLATES / test).read_text(encoding="utf-8")
    return _write_new(root, texts)


def write_ravdess(root: pathlib.Path) -> list[str]:
    """The recipe for RAVDESS.

    Arguments
    ---------
    root : pathlib.Path
        SpeechBrain's sources, with ``write_hrf``'s.

    Returns
    -------
    list of str
    """
    recipe = "recipes/RAVDESS"
    names = ("README.md", "ravdess_prepare.py", "emotion_recognition/train.py")
    texts = {
        f"{recipe}/{name}": (TEMPLATES / recipe / name).read_text("utf-8")
        for name in names
    }
    emotions = (
        "emotions: [neutral, calm, happy, sad, angry, fearful, disgust, "
        "surprised]"
    )
    for model in MODELS:
        texts[f"{recipe}/emotion_recognition/hparams/{model}_hrf.yaml"] = (
            _recipe_yaml(
                "RAVDESS",
                model,
                data="/path/to/RAVDESS",
                folder=f"results/{model}_<arm>/fold_<fold>/<seed>",
                valid="valid_annotation: null  # everybody else trains, and "
                "the last epoch is scored.\n"
                "# With !ref <output_folder>/valid.json the next fold's actors "
                "choose the epoch.",
                emotions=emotions,
                extras=set(),
            )
        )
    rows = [
        _row(
            "RAVDESS",
            f"{recipe}/emotion_recognition/train.py",
            model,
            f"{recipe}/ravdess_prepare.py",
            _DEBUG.format(valid=""),
            _ours("RAVDESS", model),
        )
        for model in MODELS
    ]
    texts["tests/recipes/RAVDESS.csv"] = _csv_text(rows, header=True)
    written = _write_new(root, texts)
    link = root / recipe / "emotion_recognition/ravdess_prepare.py"
    link.symlink_to("../ravdess_prepare.py")
    _merge(
        root / "README.md",
        "[IEMOCAP](recipes/IEMOCAP), ",
        "[IEMOCAP](recipes/IEMOCAP), [RAVDESS](recipes/RAVDESS), ",
    )
    return [*written, link.relative_to(root).as_posix(), "README.md"]


def write_iemocap(root: pathlib.Path) -> list[str]:
    """The recipe beside SpeechBrain's own for IEMOCAP, on its preparation.

    Arguments
    ---------
    root : pathlib.Path
        SpeechBrain's sources, with ``write_hrf``'s.

    Returns
    -------
    list of str
    """
    folder = "recipes/IEMOCAP/emotion_recognition"
    script = f"{folder}/train_hrf.py"
    texts = {script: _iemocap_script()}
    for model in MODELS:
        texts[f"{folder}/hparams/{model}_hrf.yaml"] = _recipe_yaml(
            "IEMOCAP",
            model,
            data="/path/to/IEMOCAP_full_release",
            folder=f"results/{model}_<arm>/speaker_<test_spk_id>/<seed>",
            valid="valid_annotation: !ref <output_folder>/valid.json",
            emotions="emotions: [neu, hap, sad, ang]",
            extras={"valid_session"},
        )
    written = _write_new(root, texts)
    rows = [
        _row(
            "IEMOCAP",
            script,
            model,
            f"{folder}/iemocap_prepare.py",
            _DEBUG.format(valid=_DEBUG_VALID),
            _ours("IEMOCAP", model),
        )
        for model in MODELS
    ]
    table = root / "tests/recipes/IEMOCAP.csv"
    text = table.read_text(encoding="utf-8")
    # Its last line may lack an end.
    _write(table, text.rstrip("\n") + "\n" + _csv_text(rows, header=False))
    _merge_readme(root / "recipes/IEMOCAP/README.md")
    return [*written, "tests/recipes/IEMOCAP.csv", "recipes/IEMOCAP/README.md"]


def write_checkpoints(root: pathlib.Path) -> list[str]:
    """Checkpoints that are there as a whole or not at all.

    Arguments
    ---------
    root : pathlib.Path
        SpeechBrain's sources.

    Returns
    -------
    list of str
    """
    name = "speechbrain/utils/checkpoints.py"
    path = root / name
    text = path.read_text(encoding="utf-8")
    start = text.index("    def save_checkpoint(")
    end = text.index("    def save_and_keep_only(")
    method = text[start:end]
    method = replace_once(
        method,
        "            os.makedirs(ckpt_dir, exist_ok=True)\n",
        "            # A killed process leaves no half-written checkpoint:\n"
        "            # everything is written aside, and renamed at the end.\n"
        "            final_dir = ckpt_dir\n"
        "            ckpt_dir = final_dir.with_name(PARTIAL_DIRNAME)\n"
        "            shutil.rmtree(ckpt_dir, ignore_errors=True)\n"
        "            os.makedirs(ckpt_dir)\n",
    )
    anchor = '        if if_main_process():\n            ckpt_type = "'
    condition, rest = anchor.split("\n")
    method = replace_once(
        method,
        anchor,
        "        # All processes have written their part\n"
        "        ddp_barrier()\n"
        f"{condition}\n"
        "            if final_dir.exists():  # saved before under this name\n"
        "                shutil.rmtree(final_dir)\n"
        "            ckpt_dir.rename(final_dir)\n"
        "            ckpt_dir = final_dir\n"
        "            saved_paramfiles = {\n"
        "                name: final_dir / path.name\n"
        "                for name, path in saved_paramfiles.items()\n"
        "            }\n"
        f"{rest}",
    )
    text = text[:start] + method + text[end:]
    text = insert_before(
        text,
        'METAFNAME = f"',
        'PARTIAL_DIRNAME = "partial"  # of a checkpoint being written\n',
    )
    _write(path, text)
    tests = "tests/unittests/test_checkpoints.py"
    addition = (TEMPLATES / tests).read_text(encoding="utf-8")
    old = (root / tests).read_text(encoding="utf-8")
    _write(root / tests, f"{old.rstrip()}\n\n\n{addition}")
    return [name, tests]


CHANGE_SETS: Mapping[str, ChangeSet] = {
    "hrf": ChangeSet(
        "Add HRF: train wider linear layers, merge them for inference",
        write_hrf,
        None,
    ),
    "ravdess": ChangeSet(
        "Add an emotion recognition recipe for RAVDESS", write_ravdess, "hrf"
    ),
    "iemocap": ChangeSet(
        "Add tiny models to the IEMOCAP recipe", write_iemocap, "hrf"
    ),
    "checkpoints": ChangeSet(
        "Write checkpoints as a whole or not at all", write_checkpoints, None
    ),
}


def _recipe_yaml(dataset, model, data, folder, valid, emotions, extras):
    path = OURS / "recipes" / dataset / "hparams" / f"{model}_hrf.yaml"
    text = path.read_text(encoding="utf-8")
    for line in ("    collate_fn: !ref <collate_fn>\n", "    fused: True\n"):
        text = text.replace(line, "")
    text = replace_once(
        text,
        "speechbrain_hrf.training.checkpoints.AtomicCheckpointer",
        "speechbrain.utils.checkpoints.Checkpointer",
    )
    text = text.replace("<valid_batch_size>", "<batch_size>")
    replaced = {
        "data_folder": f"data_folder: !PLACEHOLDER  # e.g., {data}",
        "output_folder": f"output_folder: !ref {folder}",
        "train_log": "train_log: !ref <output_folder>/train_log.txt\n"
        "test_report: !ref <output_folder>/test_report.txt",
        "train_annotation": "train_annotation: !ref <output_folder>/train.json",
        "valid_annotation": valid,
        "test_annotation": "test_annotation: !ref <output_folder>/test.json",
        "n_classes": _find_line(text, "n_classes")
        + f"\n# In the order of their indices\n{emotions}",
        "num_workers": "num_workers: 0  # features are kept in memory",
        "arm": "arm: hrf  # names the output folder; give each arm its own",
    }
    if dataset == "IEMOCAP":
        replaced["skip_prep"] = (
            "skip_prep: False\nsplit_ratio: [80, 10, 10]  # if speakers are "
            "shared\ndifferent_speakers: True  # in train, valid and test\n"
            "test_spk_id: 1  # 1 to 10; the other speaker of its session "
            "chooses the epoch"
        )
        text = replace_once(
            text,
            "# Training: IEMOCAP (4 emotions, sessions 1-4; session 5 is the "
            "test set)",
            "# Training: IEMOCAP (4 emotions, leave one session out)",
        )
    return rewrite_yaml(text, _EXTRAS | extras, replaced)


def _find_line(text, key):
    return next(x for x in text.splitlines() if x.startswith(f"{key}:"))


def _iemocap_script():
    path = TEMPLATES / "recipes/RAVDESS/emotion_recognition/train.py"
    text = path.read_text(encoding="utf-8")
    call = text[text.index("            prepare_ravdess,") :]
    call = call[: call.index("        )\n")]
    keys = {
        "data_original": "data_folder",
        "save_json_train": "train_annotation",
        "save_json_valid": "valid_annotation",
        "save_json_test": "test_annotation",
        **{key: key for key in ("split_ratio", "different_speakers")},
        **{key: key for key in ("test_spk_id", "seed")},
    }
    lines = [f'"{key}": hparams["{of}"],' for key, of in keys.items()]
    new_call = (
        "            prepare_data,\n            kwargs={\n"
        + "".join(f"                {line}\n" for line in lines)
        + "            },\n"
    )
    text = replace_once(text, call, new_call)
    for old, new in (
        ("from ravdess_prepare import prepare_ravdess", ""),
        ("emotion recognition on RAVDESS", "emotion recognition on IEMOCAP"),
        ("train.py hparams/", "train_hrf.py hparams/"),
        ("/path/to/RAVDESS", "/path/to/IEMOCAP"),
        (
            "from ruamel.yaml",
            "from iemocap_prepare import prepare_data\nfrom ruamel.yaml",
        ),
    ):
        text = replace_once(text, old, new)
    return text


def _merge_readme(path):
    part = (TEMPLATES / "recipes/IEMOCAP/README_part.md").read_text("utf-8")
    how, results = part.split("<!-- results -->\n")
    text = path.read_text(encoding="utf-8")
    text = insert_before(text, "# Results\n", how.strip() + "\n\n")
    text = insert_before(text, "# Training Time\n", results.strip() + "\n\n")
    _write(path, text)


def _row(dataset, script, model, prepare, flags, ours):
    folder, _, name = script.rpartition("/")
    return [
        "Emotion_recognition",
        dataset,
        script,
        f"{folder}/hparams/{model}_hrf.yaml",
        prepare,
        f"recipes/{dataset}/README.md",
        ours["Result_url"],
        ours["HF_repo"],
        flags,
        f"file_exists=[{_FILES.format(script=name)}]",
        ours["performance"],
    ]


def _ours(dataset, model):
    path = OURS / "tests/recipes" / f"{dataset}.csv"
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if f"/{model}_" in row["Hparam_file"]:
                return row
    raise ValueError(f"{path} has no row of {model}")


def _csv_text(rows, header):
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        path = OURS / "tests/recipes/RAVDESS.csv"
        writer.writerow(path.read_text("utf-8").splitlines()[0].split(","))
    writer.writerows(rows)
    return stream.getvalue()


def _merge(path, old, new):
    _write(path, replace_once(path.read_text(encoding="utf-8"), old, new))


def _write_new(root, texts):
    for name, text in texts.items():
        if (root / name).exists():
            raise ValueError(f"{name} is there already")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        _write(root / name, text)
    return list(texts)


def _write(path, text):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
