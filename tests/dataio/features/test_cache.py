"""Cached features are the computed ones, whatever happens to the folder."""

import logging
import multiprocessing
import os
import pickle
import re
import resource
import signal
import tempfile
import time

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.lobes.features import Fbank

from speechbrain_hrf.dataio.features.cache import cached_features
from speechbrain_hrf.dataio.features.key import (
    feature_settings,
    features_made_from,
)
from speechbrain_hrf.dataio.segments import SegmentFeatures
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio

LOGS = [
    f"speechbrain_hrf.{name}" for name in ("dataio.features.cache", "files")
]
# Seconds, rate, channels: a dialogue turn, shorter than a frame, cut, stereo.
KINDS = [(1.3, 16000, 1), (0.007, 16000, 1), (6.5, 8000, 1), (2.2, 44100, 2)]


def voice(seconds, rate, channels, seed):
    """Harmonics under a moving envelope, in noise; stereo sides differ."""
    noise = np.random.default_rng(seed)
    time = np.arange(max(1, int(seconds * rate)))[:, None] / rate
    pitch = 100 + 10 * seed + 5 * np.arange(channels)
    tones = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 9))
    envelope = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)
    return 0.1 * envelope * tones + 0.01 * noise.standard_normal(tones.shape)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for number, kind in enumerate(KINDS):
        sf.write(folder / f"{number}.wav", voice(*kind, number), kind[1])
    return folder


@pytest.fixture(scope="module")
def segment():
    return SegmentFeatures(Fbank(n_mels=26, deltas=True), 500)


@pytest.fixture(scope="module")
def settings(segment):
    return feature_settings(segment)


@pytest.fixture
def clips(corpus):
    named = {f"u{k}": (str(corpus / f"{k}.wav"),) for k in range(len(KINDS))}
    named["parts"] = (str(corpus / "0.wav"), [[0, 5000], [9000, 15000]])
    return named


def no_features(*arguments):
    raise AssertionError("features are computed that are there already")


@pytest.fixture
def cache(tmp_path, clips, segment, settings, corpus):
    """Opens or builds the cache of the clips, in a folder of its own."""

    def cache(segment=segment, clips=clips, settings=settings, split="train"):
        made_from = features_made_from(settings, clips, corpus)
        return cached_features(
            tmp_path / "features", split, clips, segment, made_from
        )

    return cache


@pytest.fixture
def log(caplog):
    # SpeechBrain's loggers may have been told not to pass messages on.
    loggers = [logging.getLogger(name) for name in LOGS]
    for logger in loggers:
        logger.addHandler(caplog.handler)
        logger.setLevel(logging.INFO)
    yield caplog
    for logger in loggers:
        logger.removeHandler(caplog.handler)


def assert_right(features, clips, segment):
    for name, arguments in clips.items():
        assert torch.equal(features(name), segment(*arguments)), name


def test_cached_features_are_the_computed_ones(cache, clips, segment, tmp_path):
    umask = os.umask(0)
    features = cache()
    os.umask(umask)
    (folder,) = (tmp_path / "features").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700  # speech is private
    assert_right(features, clips, segment)
    again = cache(segment=no_features)
    assert_right(again, clips, segment)
    assert len(features("u2")) == 500 and len(features("u1")) == 1
    assert len(features("parts")) == 11000 // 160 + 1


def test_several_processes_compute_the_same(cache, clips, segment):
    many = {
        f"{name}-{k}": arguments
        for k in range(16)
        for name, arguments in clips.items()
    }
    assert_right(cache(clips=many), many, segment)


def test_other_processes_map_the_file_themselves(cache, clips, segment):
    features = cache()
    features("u0")
    sent = pickle.dumps(features)
    assert len(sent) < 1000
    assert_right(pickle.loads(sent), clips, segment)


def test_caches_of_other_settings_stay(cache, clips, segment, log, tmp_path):
    cache()
    cache(split="test")
    assert "of 5 utterances (there are none yet)" in log.text
    assert "may be deleted" not in log.text
    other = SegmentFeatures(Fbank(n_mels=20), 500)
    features = cache(other, settings=feature_settings(other))
    assert_right(features, clips, other)
    assert "have other values)" in log.text
    del clips["u0"]
    assert_right(cache(clips=clips), clips, segment)
    assert re.search(r"train-\w+ have other clips\)", log.text)
    assert re.search(
        r"Other caches of train in .*: 2, \d MB in all.*may be deleted",
        log.text,
    )
    assert len(list((tmp_path / "features").iterdir())) == 4


def test_changed_audio_is_computed_anew(cache, clips, segment, log, tmp_path):
    path = str(tmp_path / "new.wav")
    clips = {**clips, "u0": (path,)}
    sf.write(path, voice(1.0, 16000, 1, 1), 16000)
    cache(clips=clips)
    sf.write(path, voice(1.0, 16000, 1, 2), 16000)
    os.utime(path, ns=(0, 0))  # whatever the file system's clock resolves
    assert_right(cache(clips=clips), clips, segment)
    assert "have other audio files)" in log.text


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "name, damage, reason",
    [
        ("features.f32", flip_a_bit, "does not match its checksum"),
        ("index.json", os.remove, "is missing"),
    ],
)
def test_a_damaged_cache_is_replaced(
    cache, clips, segment, log, tmp_path, name, damage, reason
):
    cache()
    (folder,) = (tmp_path / "features").iterdir()
    damage(folder / name)
    assert_right(cache(), clips, segment)
    assert f"those there are damaged: {name} {reason}" in log.text
    assert list((tmp_path / "features").iterdir()) == [folder]
    cache(segment=no_features)


def test_an_unusable_file_is_named_and_nothing_left(cache, clips, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    clips["bad"] = (str(tmp_path / "bad.wav"),)
    with pytest.raises(UnusableAudio, match="bad.wav"):
        cache(clips=clips)
    assert list((tmp_path / "features").iterdir()) == []


def test_a_folder_that_cannot_be_written(cache, tmp_path):
    (tmp_path / "features").write_text("a file")
    with pytest.raises(OSError) as error:
        cache()
    for part in ("features", "feature_folder", "cache_features to False"):
        assert part in str(error.value)


def build(folder, seconds, size=None):
    """Starts a process that builds a cache of 20 utterances."""

    def slow(number):
        time.sleep(seconds)
        return torch.full((1000, 78), float(number))

    def run():
        # OpenMP's threads do not survive a fork: PyTorch would wait for them.
        torch.set_num_threads(1)
        if size is not None:  # as on a full disk
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        clips = {str(number): (number,) for number in range(20)}
        with open(f"{folder}.log", "w") as log:
            try:
                features = cached_features(
                    folder, "train", clips, slow, {"options": {}}
                )
                for name in clips:
                    assert (features(name) == float(name)).all()
            except BaseException as error:
                log.write(str(error))
                raise

    # Spawned, it would spend seconds on importing PyTorch.
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def names(folder):
    return sorted(path.name.split(".")[-1] for path in folder.glob("*"))


def test_killed_builds_leave_nothing_that_counts(tmp_path, log):
    folder = tmp_path / "features"
    process = build(folder, 1)
    try:
        while not names(folder):
            assert process.is_alive()
            time.sleep(0.01)
        # Another process that wants the same waits, and takes its place.
        other = build(folder, 0)
        other.join(1)
        assert other.is_alive() and len(names(folder)) == 1
    finally:
        process.kill()
        process.join()
    other.join(60)
    assert other.exitcode == 0
    assert len(names(folder)) == 2 and "partial" in names(folder)
    assert len(list(folder.glob("*.partial"))) == 1
    clips = {str(number): (number,) for number in range(20)}
    # What is left goes although nothing has to be computed.
    cached_features(folder, "train", clips, no_features, {"options": {}})
    assert len(names(folder)) == 1 and "partial" not in names(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_s_are_left_alone():
    # Pytest's folders are closed to other users.
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o777)
        arguments = (root, "train", {"a": (3,)}, torch.eye, {"options": {}})
        cached_features(*arguments)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                torch.set_num_threads(1)
                os.setuid(65534)
                cached_features(*arguments)
            except PermissionError as error:
                status = 0 if "of another user" in str(error) else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(os.listdir(root)) == 1


def test_a_slower_builder_takes_the_faster_one_s(tmp_path):
    folder = tmp_path / "features"
    processes = [build(folder, seconds) for seconds in (0.02, 0.025)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(names(folder)) == 1 and "partial" not in names(folder)


def test_a_full_disk(tmp_path):
    folder = tmp_path / "features"
    process = build(folder, 0, size=2**20)
    process.join(60)
    assert process.exitcode == 1
    message = (tmp_path / "features.log").read_text()
    assert f"Cannot write features to {folder} (File too large)" in message
    assert "cache_features to False" in message
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_spawned_workers_read_it(cache, clips, segment):
    loader = torch.utils.data.DataLoader(
        _Named(cache(), list(clips)),
        batch_size=None,
        num_workers=2,
        multiprocessing_context="spawn",
    )
    for name, feats in zip(clips, loader, strict=True):
        assert torch.equal(feats, segment(*clips[name])), name


class _Named(torch.utils.data.Dataset):
    def __init__(self, features, names):
        self.features = features
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.features(self.names[index])
