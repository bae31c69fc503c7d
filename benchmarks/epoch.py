"""What does an epoch of the recipe cost beyond its training steps?

    python benchmarks/epoch.py --data_folder /path/to/RAVDESS [--rounds 7]

One epoch of train.py (loading, steps, log line, checkpoint) from the feature
cache, against the same steps on tensors already in memory, against the recipe
without the cache, and against SpeechBrain's usual way: waveforms read by its
own loader, features of the batch computed in compute_forward.

Authors
 * The speechbrain_hrf authors 2026
"""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import speechbrain as sb
import torch
from interleaved import against, measure
from models import LIGHT
from recipe_runs import one_epoch, prepared, train_script
from report import Report, ratio_text, read_options

from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.training.allocator import keep_freed_memory


def waveforms(datasets, hparams):
    """The training set as a SpeechBrain recipe usually has it.

    Arguments
    ---------
    datasets : dict
    hparams : dict

    Returns
    -------
    DynamicItemDataset
        Gives id, sig and label.
    """
    seconds = (hparams["segment_frames"] - 1) * 0.01
    samples = round(seconds * hparams["sample_rate"])

    def read(path):
        return sb.dataio.dataio.read_audio(path)[:samples]

    data = {key: dict(entry) for key, entry in datasets["train"].data.items()}
    usual = sb.dataio.dataset.DynamicItemDataset(data)
    usual.add_dynamic_item(read, takes="wav", provides="sig")
    encode = hparams["label_encoder"].encode_label_torch
    usual.add_dynamic_item(encode, takes="emo", provides="label")
    usual.set_output_keys(["id", "sig", "label"])
    return usual


def usual_brain(script):
    """The recipe's Brain, with features computed from the batch's waveforms.

    Arguments
    ---------
    script : module

    Returns
    -------
    type
    """

    class UsualBrain(script.EmotionBrain):
        """As SpeechBrain's own recipes compute features."""

        def compute_forward(self, batch, stage):
            """Waveforms to log-probabilities."""
            batch = batch.to(self.device)
            wavs, lens = batch.sig
            feats = self.hparams.compute_features(wavs)
            batch.feats = (feats, lens)
            return super().compute_forward(batch, stage)

    return UsualBrain


def main():
    """Measures, prints and saves."""
    options = read_options(
        __doc__,
        data_folder="synthetic",
        models=list(LIGHT),
        threads=1,
        rounds=7,
    )
    report = Report(["model", "arm", "time", "to the steps", "to the epoch"])
    with tempfile.TemporaryDirectory() as folder:
        data = options.data_folder
        if data == "synthetic":
            data = make_corpus("RAVDESS", folder)
        for model in options.models:
            # As in a run of train.py, no other model has used the memory.
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                times = process.submit(
                    _measured,
                    str(data),
                    f"{folder}/{model}",
                    model,
                    options.rounds,
                    options.threads,
                ).result()
            for arm in times:
                ratio = against(times, arm, "steps alone")
                slower = against(times, arm, "an epoch")
                report.add(
                    {
                        "seconds": times[arm],
                        "to_steps": ratio,
                        "to_epoch": slower,
                    },
                    model,
                    arm,
                    f"{ratio['milliseconds'] / 1000:.2f} s",
                    ratio_text(ratio) if arm != "steps alone" else "1",
                    ratio_text(slower) if arm != "an epoch" else "1",
                )
    report.save("epoch")


def _measured(data, folder, model, rounds, threads):
    torch.set_num_threads(threads)
    keep_freed_memory()
    arms = _arms(train_script(), data, folder, model)
    return measure(arms, rounds, seconds=0)


def _arms(script, data, folder, model):
    hparams, datasets, brain = prepared(script, data, f"{folder}/a", model)
    plain, no_cache, plain_brain = prepared(
        script, data, f"{folder}/b", model, cache_features=False
    )
    usual = waveforms(datasets, hparams)
    others, _, batch_brain = prepared(
        script, data, f"{folder}/c", model, usual_brain(script)
    )

    loader = brain.make_dataloader(
        datasets["train"],
        stage=sb.Stage.TRAIN,
        **hparams["train_dataloader_opts"],
    )
    in_memory = list(loader)

    def steps():
        brain.modules.train()
        for batch in in_memory:
            brain.fit_batch(batch)

    return {
        "steps alone": steps,
        "an epoch": lambda: one_epoch(brain, hparams, datasets["train"]),
        "without the cache": lambda: one_epoch(
            plain_brain, plain, no_cache["train"]
        ),
        "SpeechBrain's loader": lambda: one_epoch(batch_brain, others, usual),
    }


if __name__ == "__main__":
    main()
