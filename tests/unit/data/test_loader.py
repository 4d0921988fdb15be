"""Batches made ahead by other processes: the same, in order, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from itertools import count

import pytest
import torch

from seqloom.data.dataset import Dataset
from seqloom.data.features import ListedFeatures, Places
from seqloom.data.loader import AHEAD, Loader
from seqloom.errors import ConfigError, DataError

NOISY = """\
import os
from pathlib import Path

import torch
from seqloom.errors import DataError
from seqloom.modality import Modality

class Noisy(Modality):
    def __init__(self, folder):
        self.folder = folder

    def read(self, raw):
        raise NotImplementedError

    def augment(self, features, generator):
        (Path(self.folder) / str(os.getpid())).touch()
        if len(features) == 13:
            raise DataError("thirteen")
        return features + torch.randn(features.shape, generator=generator)

    def frontend(self, width, embedding):
        raise NotImplementedError

class Deadly:
    def __reduce__(self):
        return os._exit, (3,)
"""


@pytest.fixture
def seen(tmp_path):
    """Where the processes that make batches leave their ids."""
    folder = tmp_path / "seen"
    folder.mkdir()
    return folder


@pytest.fixture
def dataset(tmp_path, seen, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "noisy.py").write_text(NOISY)
    monkeypatch.delitem(sys.modules, "noisy", raising=False)
    import noisy

    features = {"source": ListedFeatures([torch.ones(size, 2) for size in range(1, 21)])}
    return Dataset(features, {"source": noisy.Noisy(str(seen))}, Places([0] * 20, []), count=20)


def batches():
    """Three examples after three others, again and again, the thirteenth never."""
    for number in count():
        yield number // 4, [(number * 3 + place) % 12 for place in range(3)]


def workers_seen(seen):
    return {int(path.name) for path in seen.iterdir()} - {os.getpid()}


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Steps:
    """Takes batches as a training does, and compares each with one made here."""

    def __init__(self, loader):
        self.loader, self.coming = loader, batches()
        self.plain = Loader(loader.dataset, loader.seed)

    def take(self):
        epoch, ids = next(self.coming)
        self.loader.begin(1)
        self.compare(epoch, ids)

    def compare(self, epoch, ids):
        ours, theirs = self.loader(epoch, ids), self.plain(epoch, ids)
        assert torch.equal(ours.inputs["source"].values, theirs.inputs["source"].values)
        assert torch.equal(ours.inputs["source"].lengths, theirs.inputs["source"].lengths)
        assert ours[1:] == theirs[1:] == (None, [[]] * len(ids), ids, None)

    def until(self, happened):
        """Takes batches until something has happened, and then enough that workers have made the next."""
        end = time.monotonic() + 120
        while not happened():
            assert time.monotonic() < end
            self.take()
            time.sleep(0.01)
        for _ in range(3 * AHEAD):
            self.take()


def test_workers_change_nothing_but_who_makes_a_batch(dataset, seen):
    loader = Loader(dataset, seed=7, workers=2)
    steps = Steps(loader)
    with loader.ahead_of(batches()):
        steps.until(lambda: len(workers_seen(seen)) == 2)
        first = workers_seen(seen)
        assert all(os.getpgid(pid) == pid for pid in first)  # a terminal's Ctrl-C is not for them
        assert loader.events() == []
        epoch, ids = next(steps.coming)
        loader.begin(1)
        steps.compare(epoch, ids[:2])  # memory was short
        steps.compare(epoch, ids[2:])
        with pytest.raises(DataError, match="thirteen"):
            loader(0, [12])
        os.kill(min(first), signal.SIGKILL)
        steps.until(lambda: len(workers_seen(seen)) == 3)
        (event,) = loader.events()
        assert event["event"] == "delayed"
        assert "ended (signal 9) and is started again" in event["reason"]
    assert not any(is_running(pid) for pid in workers_seen(seen))
    steps.compare(0, [3])


def test_what_a_worker_cannot_make_is_told_by_this_process(dataset, seen):
    loader = Loader(dataset, seed=7, workers=1)
    coming = ((0, [12] if number else [0]) for number in count())
    with loader.ahead_of(coming):
        loader.begin(1)
        loader(0, [0])
        end = time.monotonic() + 120
        while not workers_seen(seen):
            assert time.monotonic() < end
            loader.begin(1)
            with pytest.raises(DataError, match="thirteen"):
                loader(0, [12])
            time.sleep(0.01)


def test_a_worker_that_ends_again_and_again_is_given_up(dataset, monkeypatch):
    monkeypatch.setattr("seqloom.data.loader.ATTEMPTS", 1)
    dataset.collator._modalities["deadly"] = sys.modules["noisy"].Deadly()
    loader = Loader(dataset, seed=7, workers=1)
    with loader.ahead_of(batches()):
        del dataset.collator._modalities["deadly"]
        steps, told = Steps(loader), []
        steps.until(lambda: told.extend(loader.events()) or told)
    assert [event["reason"] for event in told] == [
        "data worker 1 ended (exit code 3) 1 times in a row, and is given up"
    ]


def test_a_worker_that_cannot_take_up_the_data_says_why(dataset, monkeypatch):
    module = types.ModuleType("nowhere")
    exec("class Lost: pass", vars(module))
    monkeypatch.setitem(sys.modules, "nowhere", module)
    dataset.collator._modalities = {"source": module.Lost()}
    loader = Loader(dataset, seed=7, workers=1)
    with loader.ahead_of(batches()):
        dataset.collator._modalities = {}
        steps = Steps(loader)
        with pytest.raises(
            ConfigError, match=r"cannot take up the data: .*nowhere.*; set data\.workers to 0"
        ):
            steps.until(lambda: False)


def test_what_does_not_pickle_is_refused(dataset):
    dataset.collator._modalities = {"source": lambda: None}
    with (
        pytest.raises(ConfigError, match=r"cannot be sent to data workers: .*; set data\.workers to 0"),
        Loader(dataset, seed=7, workers=1).ahead_of(batches()),
    ):
        pass
