"""A trained HuBERT is fine-tuned with HRF, starting from what it knows."""

import copy

import torch
from transformers import HubertConfig, HubertForSequenceClassification

from speechbrain_hrf import apply_hrf, merge_hrf


def make_tones(n, noise):
    # Stands for speech: a quarter of a second at one of four pitches.
    labels = torch.randint(4, (n,))
    hertz = 200 * 2 ** labels.unsqueeze(1)
    seconds = torch.arange(4000) / 16000 + torch.rand(n, 1)
    tones = torch.sin(2 * torch.pi * hertz * seconds)
    return tones + noise * torch.randn(n, 4000), labels


def train(model, steps, noise):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for _ in range(steps):
        wavs, labels = make_tones(16, noise)
        model(wavs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


torch.manual_seed(0)
# Stands for HubertForSequenceClassification.from_pretrained("..."): a tiny
# one, which has learnt to tell the pitches apart where there is little noise.
front = {"conv_dim": [32] * 3, "conv_kernel": [20, 4, 4]}
layers = {"num_hidden_layers": 2, "num_attention_heads": 2}
sizes = {"hidden_size": 32, "intermediate_size": 64, "num_labels": 4}
config = HubertConfig(conv_stride=[10, 4, 4], **front, **layers, **sizes)
config.apply_spec_augment = False
plain = HubertForSequenceClassification(config)
train(plain, 150, noise=0.1)

# A pattern skips what is frozen, so freeze before HRF is applied.
model = copy.deepcopy(plain)
model.freeze_feature_encoder()
apply_hrf(model, ["*"], init="preserve")
wavs, labels = make_tones(500, noise=1)
with torch.no_grad():
    before, expanded = plain(wavs).logits, model(wavs).logits
train(model, 100, noise=1)

# Names and shapes are those of the plain model, so it takes them strictly.
plain.load_state_dict(merge_hrf(model).state_dict())
with torch.no_grad():
    after = plain(wavs).logits
old, new = [
    (logits.argmax(1) == labels).float().mean() for logits in (before, after)
]
print(f"HRF changed outputs by at most {(expanded - before).abs().max():.0e}")
print(f"accuracy in noise: {old:.3f}, after fine-tuning {new:.3f}")
