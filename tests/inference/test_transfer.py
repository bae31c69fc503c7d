"""Loading parameters into models that are used: merged, strictly.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
import torch
from speechbrain.utils.checkpoints import (
    DEFAULT_LOAD_HOOKS,
    DEFAULT_TRANSFER_HOOKS,
    Checkpointer,
    get_default_hook,
    torch_parameter_transfer,
    torch_recovery,
)
from speechbrain.utils.parameter_transfer import Pretrainer
from torch import nn

from speechbrain_hrf.inference.transfer import (
    load_merged,
    merge_on_transfer,
    read_state_dict,
)
from speechbrain_hrf.lobes.models import (
    Conformer,
    ConvTransformer,
    SpeechFormer,
)
from speechbrain_hrf.nnet import apply_hrf, merged_state_dict

# Merging in float64 leaves only float32's rounding of each weight.
ATOL = 1e-5


def mlp():
    """Two linear layers with a name each."""
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))


def attention():
    """A block whose projections are one packed parameter."""
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


@pytest.fixture
def trained(tmp_path):
    """Makes an expanded model that has been stepped, and its checkpoint."""

    def make(build, modules, **options):
        torch.manual_seed(0)
        model = build()
        apply_hrf(model, modules, ratio=2, **options)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        path = tmp_path / "model.ckpt"
        torch.save(model.state_dict(), path)
        return model.eval(), path

    return make


@pytest.mark.parametrize(
    "build, modules, shape",
    [
        (mlp, ["*"], (4, 6)),
        (mlp, ["2"], (4, 6)),
        (attention, ["*.in_proj_weight.q", "linear1"], (4, 7, 8)),
        (attention, ["*"], (4, 7, 8)),
        (Conformer, ["FFN_M1", "Project"], (2, 60, 78)),
        (ConvTransformer, ["QKV", "FFN2"], (2, 60, 78)),
        (SpeechFormer, ["FFN1"], (2, 60, 78)),
    ],
)
def test_factorised_into_plain(trained, build, modules, shape):
    """It merges on the way; the model gives what the trained one gives."""
    model, path = trained(build, modules, layers=2)
    plain = build().eval()
    load_merged(plain, path)
    x = torch.randn(shape)
    with torch.no_grad():
        assert torch.allclose(plain(x), model(x), atol=ATOL)


def test_merged_into_plain(trained, tmp_path):
    """A merged checkpoint loads as it is, bit for bit."""
    model, path = trained(mlp, ["*"])
    merged = merged_state_dict(model.state_dict())
    torch.save(merged, tmp_path / "merged.ckpt")
    plain = mlp()
    load_merged(plain, tmp_path / "merged.ckpt")
    assert all(
        torch.equal(value, merged[key])
        for key, value in plain.state_dict().items()
    )


def test_factorised_into_equally_factorised(trained):
    """Nothing is merged where the model has the same factors."""
    model, path = trained(mlp, ["*"])
    other = mlp()
    apply_hrf(other, ["*"], ratio=2)
    load_merged(other, path)
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key])


@pytest.mark.parametrize("ratio, modules", [(4, ["*"]), (2, ["0"])])
def test_factorised_into_differently_factorised(trained, ratio, modules):
    """Other factors do not fit, and the error says so."""
    _, path = trained(mlp, ["*"])
    other = mlp()
    apply_hrf(other, modules, ratio=ratio)
    with pytest.raises(ValueError, match=r"model\.ckpt does not fit.*factors"):
        load_merged(other, path)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"2.bias": None}, r"1 missing \(2\.bias\)"),
        ({"3.weight": torch.zeros(1)}, r"1 unknown \(3\.weight\)"),
        ({"2.bias": torch.zeros(4)}, r"2\.bias is \[4\], the model's \[3\]"),
        (Conformer().state_dict(), r"unknown \(.*and \d+ more\)"),
    ],
)
def test_wrong_keys_raise_and_change_nothing(tmp_path, change, says):
    """The error names file, keys and cause; the model is as it was."""
    path, model = tmp_path / "wrong.ckpt", mlp()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wrong = {**before, **change}
    torch.save({k: v for k, v in wrong.items() if v is not None}, path)
    with pytest.raises(ValueError, match=says) as error:
        load_merged(model, path)
    assert str(path) in str(error.value)
    assert "another architecture or size" in str(error.value)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_speechbrains_own_hook_only_warns(tmp_path, caplog):
    """The negative control: why this hook exists."""
    path = tmp_path / "wrong.ckpt"
    torch.save({"no such key": torch.zeros(1)}, path)
    torch_parameter_transfer(mlp(), path)
    assert "no such key" in caplog.text


def test_incomplete_or_diverged_factors(trained, tmp_path):
    """What merging refuses is refused with the file's name."""
    model, path = trained(mlp, ["*"])
    state = model.state_dict()
    del state["0.hrf_factors.1"]
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"model\.ckpt cannot be merged"):
        load_merged(mlp(), path)
    state = model.state_dict()
    state["0.hrf_factors.1"][0, 0] = float("nan")
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"model\.ckpt.*NaN"):
        load_merged(mlp(), path)


@pytest.mark.parametrize(
    "content", [b"", b"no zip", [torch.zeros(1)], {"epoch": 3}]
)
def test_files_that_are_no_state_dict(tmp_path, content):
    """Damaged files and other objects are told apart from wrong keys."""
    path = tmp_path / "odd.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match=r"odd\.ckpt"):
        read_state_dict(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    """Pickles are read as data."""

    class Bomb:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    torch.save({"weight": Bomb()}, tmp_path / "bomb.ckpt")
    with pytest.raises(ValueError, match="bomb.ckpt"):
        load_merged(nn.Linear(1, 1), tmp_path / "bomb.ckpt")


def test_a_flipped_bit(trained):
    """Of a number, which torch.load would load, or of the zip file's own."""
    model, path = trained(mlp, ["2"])
    whole = path.read_bytes()
    number = whole.index(model[0].weight.detach().numpy().tobytes())
    compression = whole.index(b"PK\x01\x02") + 10
    for place, says in [
        (compression, "compression method"),
        (number, "the checksum of .*data/0"),
    ]:
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"ckpt is damaged: .*{says}"):
            load_merged(mlp(), path)
    loaded = torch.load(path)["0.weight"]
    assert (loaded != model[0].weight).sum() == 1  # the control


def test_registration_is_inherited_and_leaves_recovery_alone(trained, tmp_path):
    """Transfer merges; recovery of a training does not."""

    @merge_on_transfer
    class Model(nn.Sequential):
        pass

    class Derived(Model):
        pass

    def build(cls=Derived):
        return cls(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))

    try:
        model, _ = trained(build, ["*"])
        assert get_default_hook(model, DEFAULT_TRANSFER_HOOKS) is load_merged
        assert get_default_hook(model, DEFAULT_LOAD_HOOKS) is torch_recovery
        checkpointer = Checkpointer(tmp_path / "save", {"model": model})
        checkpoint = checkpointer.save_checkpoint()
        # Transfer: into a plain model.
        plain = build()
        pretrainer = Pretrainer(loadables={"model": plain})
        pretrainer.collect_files(default_source=str(checkpoint.path))
        pretrainer.load_collected()
        x = torch.randn(4, 6)
        assert torch.allclose(plain(x), model(x), atol=ATOL)
        # Recovery: into factors, and only there.
        again = build()
        apply_hrf(again, ["*"], ratio=2)
        Checkpointer(tmp_path / "save", {"model": again}).recover_if_possible()
        assert torch.equal(again[0].factors[0], model[0].factors[0])
        with pytest.raises(RuntimeError, match="Missing key"):
            Checkpointer(
                tmp_path / "save", {"model": build()}
            ).recover_if_possible()
    finally:
        del DEFAULT_TRANSFER_HOOKS[Model]


def test_as_custom_hook_in_yaml(trained, tmp_path):
    """A YAML names the hook for classes that are not the package's own."""
    from hyperpyyaml import load_hyperpyyaml

    _, path = trained(lambda: nn.Sequential(nn.Linear(6, 5)), ["0"])
    hparams = load_hyperpyyaml(
        f"""
model: !new:torch.nn.Sequential
    - !new:torch.nn.Linear [6, 5]
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        model: !ref <model>
    paths:
        model: {path}
    custom_hooks:
        model: !name:speechbrain_hrf.inference.load_merged
"""
    )
    hparams["pretrainer"].collect_files()
    hparams["pretrainer"].load_collected()
    merged = merged_state_dict(torch.load(path))
    assert torch.equal(hparams["model"][0].weight, merged["0.weight"])
