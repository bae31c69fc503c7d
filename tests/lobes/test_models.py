"""The lobes keep SpeechBrain's contract, whatever the batch and the length."""

import pytest
import torch
from torch import nn

import speechbrain_hrf  # noqa: F401  registers the lobes
from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
)
from speechbrain_hrf.lobes.models.attention import SelfAttention
from speechbrain_hrf.lobes.models.local_attention import LocalSelfAttention
from speechbrain_hrf.lobes.models.relative_attention import RelPosSelfAttention

TOLERANCE = 1e-5
LIGHT = {
    "ConvTransformer": lambda **o: ConvTransformer(1, 16, 4, **o),
    "Conformer": lambda **o: Conformer(1, 16, 2, **o),
    "SpeechFormer": lambda **o: SpeechFormer([1], 16, 4, **o),
}
ORIGINAL = {
    "ConvTransformer original": lambda **o: ConvTransformer(8, 80, 320, **o),
    "Conformer original": lambda **o: Conformer(4, 80, 320, **o),
    "SpeechFormer original": lambda **o: SpeechFormer([2] * 4, 80, 64, **o),
}
MODELS = {**LIGHT, **ORIGINAL}


@pytest.fixture(params=MODELS)
def build(request):
    torch.manual_seed(0)
    return MODELS[request.param]


def test_contract(build):
    model = build()
    embedding = model(torch.randn(3, 40, 78), torch.tensor([1.0, 0.5, 0.1]))
    assert embedding.shape[:2] == (3, 1)
    assert embedding.shape[2] in (16, 80)
    log_probabilities = ClassifierHead(embedding.shape[2], 4)(embedding)
    assert log_probabilities.shape == (3, 1, 4)
    torch.testing.assert_close(
        log_probabilities.exp().sum(-1), torch.ones(3, 1)
    )


@pytest.mark.parametrize("segment_frames", [None, 25])
def test_a_padded_batch_gives_each_utterance_its_own_result(
    build, segment_frames
):
    model = build(segment_frames=segment_frames).eval()
    lengths = [60, 1, 2, 6, 7, 8, 33, 50]
    feats = torch.randn(len(lengths), 60, 78)  # padding is not even zero
    with torch.no_grad():
        batch = model(feats, torch.tensor(lengths) / 60)
        for row, length in enumerate(lengths):
            alone = model(feats[row : row + 1, :length])
            assert (batch[row] - alone[0]).abs().max() < TOLERANCE, length


def test_padding_may_hold_anything(build):
    model = build().eval()
    feats = torch.randn(1, 60, 78)
    expected = model(feats[:, :30])
    feats[:, 30:] = float("nan")
    found = model(feats, torch.tensor([0.5]))
    assert (found - expected).abs().max() < TOLERANCE


def test_control_padding_matters_without_lengths(build):
    model = build().eval()
    feats = torch.randn(1, 60, 78)
    with torch.no_grad():
        assert (model(feats) - model(feats[:, :30])).abs().max() > 1e-3


@pytest.mark.parametrize("training", [True, False])
def test_any_length_from_one_frame_up(build, training):
    model = build().train(training)
    for n_frames in (1, 2, 3, 6, 7, 11, 20, 501):
        found = model(torch.randn(1, n_frames, 78))
        assert torch.isfinite(found).all(), n_frames


@pytest.mark.parametrize(
    "feats",
    [torch.zeros(1, 0, 78), torch.zeros(10, 78)],
    ids=["no frame", "2-D"],
)
def test_what_cannot_be_embedded_is_refused(build, feats):
    with pytest.raises(ValueError, match="cannot be embedded"):
        build()(feats)


def test_silence_and_extremes_stay_finite(build):
    model = build().eval()
    for value in (0.0, 1e4, -1e4):
        feats = torch.full((1, 30, 78), value)
        assert torch.isfinite(model(feats)).all()


def test_all_parameters_learn(build):
    model = build()
    model(torch.randn(4, 500, 78)).square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None]
    assert without == []


def test_long_audio_is_the_mean_of_its_windows(build):
    model = build(segment_frames=30).eval()
    feats = torch.randn(1, 75, 78)
    with torch.no_grad():
        windows = [model(feats[:, k : k + 30]) for k in (0, 30, 60)]
        expected = (30 * windows[0] + 30 * windows[1] + 15 * windows[2]) / 75
        assert (model(feats) - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("name", LIGHT)
def test_ten_minutes_need_no_more_memory_than_some_windows(name):
    """Peak of what is allocated while ten minutes pass, without gradients."""
    model = LIGHT[name](segment_frames=500).eval()

    def peak(n_frames):
        feats = torch.randn(1, n_frames, 78)
        with (
            torch.no_grad(),
            torch.profiler.profile(profile_memory=True) as profiler,
        ):
            model(feats)
        in_use, highest = 0, 0
        for event in profiler.profiler.kineto_results.events():
            if event.name() == "[memory]":
                in_use += event.nbytes()
                highest = max(highest, in_use)
        return highest

    assert peak(60_000) < 2 * peak(2_000)


def test_local_attention_is_global_attention_under_a_band_mask():
    torch.manual_seed(0)
    local = LocalSelfAttention(16, 4, window=5)
    reference = SelfAttention(16, 4)
    reference.load_state_dict(local.state_dict())
    x, lengths = torch.randn(2, 20, 16), torch.tensor([20, 9])
    distance = torch.arange(20)[:, None] - torch.arange(20)
    band = (distance.abs() <= 2)[None] & (
        torch.arange(20) < lengths[:, None, None]
    )
    found = local(x, lengths)
    for row, length in enumerate(lengths):
        q, k, v = (
            layer(x[row : row + 1]).unflatten(-1, (4, -1)).transpose(1, 2)
            for layer in (reference.query, reference.key, reference.value)
        )
        expected = nn.functional.scaled_dot_product_attention(
            q[:, :, :length], k, v, attn_mask=band[row : row + 1, :length]
        )
        expected = reference.project(expected.transpose(1, 2).flatten(2))
        torch.testing.assert_close(found[row, :length], expected[0])


def test_local_attention_is_linear_in_time():
    """Elements of the largest tensor grow as the input does."""
    attention = LocalSelfAttention(16, 4, window=5)

    def largest(n_frames):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: (sizes.append(t.numel()), t)[1], lambda t: t
        ):
            attention(torch.randn(1, n_frames, 16), torch.tensor([n_frames]))
        return sum(sizes)

    assert largest(4000) < 4.1 * largest(1000)


def test_relative_positions_by_hand():
    """The shift by shape equals ((q + u) k + (q + v) p_|i-j|) / sqrt(d)."""
    torch.manual_seed(0)
    attention = RelPosSelfAttention(8, 2)
    T, d = 5, 4
    q, k, v = (torch.randn(1, T, 2, d) for _ in range(3))
    from speechbrain_hrf.lobes.models.positions import sinusoids

    p = attention.position(sinusoids(T, 8, like=q)).view(T, 2, d)
    expected = torch.zeros(T, 2, d)
    for h in range(2):
        scores = torch.zeros(T, T)
        for i in range(T):
            for j in range(T):
                content = (q[0, i, h] + attention.u[h]) @ k[0, j, h]
                position = (q[0, i, h] + attention.v[h]) @ p[abs(i - j), h]
                scores[i, j] = (content + position) / d**0.5
        expected[:, h] = scores.softmax(-1) @ v[0, :, h]
    found = attention.attend(q, k, v, torch.tensor([T]))[0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", LIGHT)
def test_bf16_autocast_and_double(name):
    model = LIGHT[name]().eval()
    feats = torch.randn(2, 50, 78)
    with torch.no_grad():
        expected = model(feats)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = model(feats)
        exact = model.double()(feats.double())
    assert (rough - expected).abs().max() < 0.1
    assert (exact - expected).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ConvTransformer(d_model=18), "multiple of n_heads"),
        (lambda: Conformer(kernel_size=4), "odd number of frames"),
        (lambda: SpeechFormer([]), "one to 4 stages"),
        (lambda: SpeechFormer(1), "such as \\[1\\]"),
        (lambda: Conformer(n_heads=0), "multiple of n_heads 0"),
        (
            lambda: ConvTransformer(d_model=15, n_heads=3)(
                torch.zeros(1, 9, 78)
            ),
            "even number",
        ),
        (lambda: SpeechFormer([1] * 5), "one to 4 stages"),
        (lambda: Conformer(segment_frames=0), "segment_frames is 0"),
        (lambda: ConvTransformer(n_feats=5), "n_feats is 5"),
        (lambda: LocalSelfAttention(16, 4, 0), "window is 0"),
    ],
)
def test_bad_sizes(call, message):
    with pytest.raises(ValueError, match=message):
        call()
