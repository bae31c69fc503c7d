"""A residual CNN on spectrograms: trained with HRF, shipped as ONNX."""

import argparse

import onnxruntime
import torch
from ravdess import load_ravdess
from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.lobes.features import Fbank
from torch import nn

from speechbrain_hrf import apply_hrf, merge_hrf


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Conv2d(inputs, outputs, 1, 2, bias=False)

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + self.downsample(x)).relu()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data_folder")
parser.add_argument("target", help="the .onnx file to write")
args = parser.parse_args()
torch.manual_seed(0)
train, test = load_ravdess(args.data_folder)
fbank = Fbank()
blocks = [BasicBlock(1, 16), BasicBlock(16, 32), BasicBlock(32, 64)]
head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 8)]
model = nn.Sequential(nn.BatchNorm2d(1), *blocks, *head)

# The last block is wide as it is; the shortcuts stay plain.
report = apply_hrf(model, {"[12].*": 8, "3.*": 2}, exclude=["*.downsample"])
optimizer = torch.optim.Adam(model.parameters())
for _ in range(10):
    for batch in make_dataloader(train, batch_size=16, shuffle=True):
        scores = model(fbank(batch.wav.data).unsqueeze(1))
        nn.functional.cross_entropy(scores, batch.label.data[:, 0]).backward()
        optimizer.step()
        optimizer.zero_grad()

# The merged one, for images of any number of frames
merged, example = merge_hrf(model.eval()), torch.rand(1, 1, 300, 40)
options = {"dynamo": True, "dynamic_shapes": [{2: "frames"}], "verbose": False}
torch.onnx.export(merged, (example,), **options).save(args.target)
session = onnxruntime.InferenceSession(args.target)
hits = 0
for item in test:
    x = fbank(item["wav"][None])[None].numpy()
    hits += session.run(None, {"input": x})[0].argmax() == item["label"].item()
print(f"{report.after:,} parameters in training, {report.before:,} shipped")
print(f"{hits} of {len(test)} files of unheard actors are recognised")
