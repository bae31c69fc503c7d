"""The distilled loss is Hinton's, and a teacher that may leak is refused."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.encoder import CategoricalEncoder
from torch.nn import functional as F

from speechbrain_hrf import apply_hrf
from speechbrain_hrf.dataio.segments import SegmentBatch
from speechbrain_hrf.training.distil import Distillation, make_distillation
from speechbrain_hrf.training.other_data import refuse_other_data

LABELS = ["a", "b", "c"]
CLIP = {"a": {"wav": "a.wav", "emo": "a"}}
OTHER = {"b": {"wav": "b.wav", "emo": "a"}}
YAML = """
sample_rate: 16000
segment_frames: {frames}
hrf_modules: [ALL]
hrf_ratio: 2
hrf_layers: 1
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 26
    deltas: True
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
embedding_model: !new:speechbrain_hrf.lobes.models.SpeechFormer
    d_model: {d_model}
    segment_frames: !ref <segment_frames>
classifier: !new:speechbrain_hrf.lobes.models.ClassifierHead
    d_model: {d_model}
    n_classes: 3
"""


def make_run(folder, d_model=8, frames=20, labels=LABELS, **manifests):
    """An output folder as a recipe leaves it, but for the training."""
    manifests = {"train": CLIP, "test": OTHER, **manifests}
    (folder / "manifests").mkdir(parents=True)
    for split, entries in manifests.items():
        path = folder / "manifests" / f"{split}.json"
        path.write_text(json.dumps(entries))
    refuse_other_data(folder / "manifests", folder / "save")
    text = YAML.format(d_model=d_model, frames=frames)
    (folder / "hyperparams.yaml").write_text(text)
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(labels)
    encoder.save(folder / "save" / "label_encoder.txt")
    return folder


def finish(folder, seed=1):
    """Its checkpoint and scores; gives the modules that it holds."""
    torch.manual_seed(seed)
    text = (folder / "hyperparams.yaml").read_text()
    modules = SimpleNamespace(**load_hyperpyyaml(text))
    learnt = [modules.embedding_model, modules.classifier]
    apply_hrf(torch.nn.ModuleList(learnt), ["ALL"], ratio=2)
    modules.mean_var_norm(5 + torch.randn(1, 30, 78))
    checkpoint = folder / "save" / "CKPT+1"
    checkpoint.mkdir()
    (checkpoint / "CKPT.yaml").write_text("unixtime: 1")
    for name in ("embedding_model", "classifier"):
        state = getattr(modules, name).eval().state_dict()
        torch.save(state, checkpoint / f"{name}.ckpt")
    modules.mean_var_norm.eval()._save(checkpoint / "mean_var_norm.ckpt")
    metrics = {"checkpoint": "save/CKPT+1"}
    (folder / "test_metrics.json").write_text(json.dumps(metrics))
    return modules


def examples(n=40):
    torch.manual_seed(3)
    lengths = torch.randint(5, 21, (n,)).tolist()
    return [
        {"id": f"u{k}", "feats": 5 + 2 * torch.randn(length, 78)}
        for k, length in enumerate(lengths)
    ]


def collate(batch):
    return SegmentBatch(batch, frames=20)


@pytest.fixture()
def folders(tmp_path):
    teacher = make_run(tmp_path / "teacher", d_model=16)
    return finish(teacher), teacher, make_run(tmp_path / "student")


def learn(teacher, student, weight=0.5, temperature=2.0, data=None, **other):
    data = examples() if data is None else data
    options = {"labels": LABELS, **other}
    return make_distillation(
        data,
        collate_fn=collate,
        output_folder=str(student),
        teacher=teacher and str(teacher),
        weight=weight,
        temperature=temperature,
        **options,
    )


def test_the_loss_and_its_gradient():
    """Against the definition, term by term."""
    torch.manual_seed(0)
    teacher = torch.randn(5, 3).log_softmax(-1)
    logits = torch.randn(2, 1, 3, requires_grad=True)
    labels = torch.tensor([2, 0])
    out = logits.log_softmax(-1)
    nll = F.nll_loss(out.squeeze(1), labels)
    distil = Distillation([f"u{k}" for k in range(5)], teacher, 0.3, 4.0)
    loss = distil(nll, out, ["u3", "u1"])
    p = (teacher[[3, 1]] / 4).softmax(-1)
    q = (logits.squeeze(1) / 4).softmax(-1)
    kl = (p * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(loss, 0.7 * nll + 0.3 * 16 * kl)
    (grad,) = torch.autograd.grad(loss, logits)
    hard = (out.exp().squeeze(1) - F.one_hot(labels, 3)) / 2
    expected = 0.7 * hard + 0.3 * 4 * (q - p) / 2
    torch.testing.assert_close(grad.squeeze(1), expected)


def test_the_answers_are_the_teachers_by_its_own_normalisation(folders):
    modules, teacher, student = folders
    data = examples()
    before = torch.random.get_rng_state()
    distil = learn(teacher, student, temperature=1.0, data=data)
    assert torch.equal(torch.random.get_rng_state(), before)
    feats, lens = collate(data).feats
    with torch.no_grad():
        expected, raw = (
            modules.classifier(modules.embedding_model(x, lens)).squeeze(1)
            for x in (modules.mean_var_norm(feats, lens), feats)
        )
    rows = [distil.rows[f"u{k}"] for k in range(40)]
    torch.testing.assert_close(distil.targets[rows], expected)
    assert (distil.targets[rows] - raw).abs().max() > 1e-2  # control


def test_a_run_that_goes_on_keeps_its_teachers_answers(folders):
    _, teacher, student = folders
    first = learn(teacher, student)
    # Nothing has been trained yet, so another teacher is asked.
    shutil.rmtree(teacher / "save" / "CKPT+1")
    finish(teacher, seed=2)
    second = learn(teacher, student)
    assert not torch.allclose(first.targets, second.targets)
    (student / "save" / "CKPT+1").mkdir()
    shutil.rmtree(teacher)
    assert torch.equal(learn(teacher, student).targets, second.targets)


def test_no_teacher(tmp_path):
    assert learn(None, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -0.1}, "distil_weight is -0.1"),
        ({"weight": True}, "distil_weight is True"),
        ({"temperature": 0}, "distil_temperature is 0"),
        ({"temperature": float("inf")}, "distil_temperature is inf"),
        ({"temperature": "2"}, "distil_temperature is '2'"),
        ({"labels": ["b", "a", "c"]}, r"has the classes \['a', 'b', 'c'\]"),
    ],
)
def test_bad_options(folders, options, message):
    _, teacher, student = folders
    with pytest.raises(ValueError, match=message):
        learn(teacher, student, **options)
    if "labels" not in options:
        with pytest.raises(ValueError, match=message):
            learn(None, student, **options)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"train": {"a": {"wav": "a.wav", "emo": "b"}}},
            r"other splits than this run \(train\)",
        ),
        ({"train": CLIP | OTHER}, r"other splits than this run \(train\)"),
        ({"valid": OTHER}, r"other splits than this run \(valid\)"),
        ({"train": OTHER, "test": CLIP}, r"\(test, train\): it may"),
        ({"frames": 10}, "it has segment_frames: 10, this run .* 20"),
    ],
)
def test_a_teacher_that_may_leak_is_refused(tmp_path, changed, message):
    teacher = make_run(tmp_path / "teacher", **changed)
    finish(teacher)
    student = make_run(tmp_path / "student")
    with pytest.raises(ValueError, match=message):
        learn(teacher, student)
    assert not (student / "save" / "teacher.pt").exists()


def test_what_is_no_finished_training_is_refused(folders, tmp_path):
    _, teacher, student = folders
    with pytest.raises(FileNotFoundError, match="has no save/trained_on"):
        learn(tmp_path, student)
    with pytest.raises(ValueError, match="of this run itself"):
        learn(student, student)
    (teacher / "test_metrics.json").unlink()
    with pytest.raises(FileNotFoundError, match="Finish it first"):
        learn(teacher, student)
