"""SpeechBrain's ECAPA-TDNN: trained on RAVDESS with HRF, shipped without."""

import argparse
from pathlib import Path

import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml
from ravdess import load_ravdess

from speechbrain_hrf import apply_hrf, merge_hrf, merged_state_dict
from speechbrain_hrf.training.scores import EmotionScores, score_text

YAML = Path(__file__).with_name("ecapa.yaml").read_text()


class EmotionBrain(sb.Brain):
    def compute_forward(self, batch, stage):
        wavs, lens = batch.to(self.device).wav
        feats = self.modules.compute_features(wavs)
        feats = self.modules.mean_var_norm(feats, lens)
        embedding = self.modules.embedding_model(feats, lens)
        return self.modules.classifier(embedding)

    def compute_objectives(self, predictions, batch, stage):
        if stage == sb.Stage.TEST:
            self.scores.append(batch.id, predictions, batch.label.data)
        return sb.nnet.losses.nll_loss(predictions, batch.label.data)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data_folder")
parser.add_argument("target", type=Path)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()
torch.manual_seed(0)
hparams = load_hyperpyyaml(YAML)
train, test = load_ravdess(args.data_folder)

# The Brain builds its optimizer in fit(), so HRF comes before that.
report = apply_hrf(hparams["model"], ["*"], ratio=8)
brain = EmotionBrain(hparams["modules"], torch.optim.Adam)
options = {"batch_size": 16, "shuffle": True}
brain.fit(range(args.epochs), train, train_loader_kwargs=options)

# What is scored and shipped is the merged model, as small as the stock one.
brain.modules = merge_hrf(brain.modules)
brain.scores = EmotionScores(hparams["labels"])
brain.evaluate(test)
scores = brain.scores.summarize()
stock = load_hyperpyyaml(YAML)["model"]
stock.load_state_dict(merged_state_dict(hparams["model"].state_dict()))
args.target.mkdir(parents=True, exist_ok=True)
(args.target / "hyperparams.yaml").write_text(YAML)
torch.save(stock.state_dict(), args.target / "model.ckpt")
print(f"{report.after:,} parameters in training, {report.before:,} shipped")
wa, ua = score_text(scores["WA"]), score_text(scores["UA"])
print(f"merged, on {scores['n']} files of unheard actors: WA {wa}, UA {ua}")
print(f'EncoderClassifier.from_hparams("{args.target}") loads it')
