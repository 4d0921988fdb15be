"""What only a GPU can show: a step, a resumption, the same text as on a CPU, bf16, and ranks over NCCL."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from seqloom.batch import Memory, Padded
from seqloom.catalog import Catalog
from seqloom.collectives import Collectives
from seqloom.config import DecodeConfig
from seqloom.device import choose_device
from seqloom.errors import ConfigError, Interrupted
from seqloom.jobfile import Job
from seqloom.jobs import resume_job, train_job
from seqloom.nn.ctc import Ctc
from seqloom.predictor import Predictor
from seqloom.search.labelling import ctc_search
from seqloom.site import Site
from seqloom.testing import random_memory
from seqloom.vocabulary import Vocabulary

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
GPU = ("device=cuda", "train.steps=6", "evaluate.every=3")


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
def test_a_training_learns_in_every_dtype(job: Callable[..., Job], site: Site, dtype: str) -> None:
    steps = ("train.steps=60", "evaluate.every=60")
    trained = train_job(job(*GPU, *steps, f"dtype={dtype}"), site)
    assert trained.run.device == "cuda:0"
    assert dtype in trained.run.device_reason
    values = {score.metric: score.value for score in trained.scores}
    assert 1 < values["ppl"] < 12  # digits and EOS by chance give about 11


def test_auto_is_bf16_where_the_gpu_has_it(job: Callable[..., Job], site: Site) -> None:
    reason = train_job(job(*GPU, "device=auto"), site).run.device_reason
    has_it = torch.cuda.is_bf16_supported(including_emulation=False)
    assert ("bf16 (the GPU has it)" in reason) == has_it


def test_a_training_goes_on_after_a_stop(job: Callable[..., Job], site: Site) -> None:
    calls = iter(range(1, 100))
    stopping = Site(site.catalog, site.registry, site.runs, stop=lambda: 15 if next(calls) == 4 else None)
    loaded = job(*GPU, "dtype=fp32")
    with pytest.raises(Interrupted):
        train_job(loaded, stopping)
    (folder,) = site.runs.glob("2*")
    resumed = resume_job(folder, site)
    whole = train_job(loaded, site)
    assert math.isclose(resumed.scores[0].value, whole.scores[0].value, rel_tol=1e-3)


def test_decoding_in_fp32_is_as_on_the_cpu(trained: Any, catalog: Catalog) -> None:
    (folder,) = (trained.folder / "runs").glob("*/model")
    sources = trained.lines("test.src")
    for beam in (1, 4):
        cpu, gpu = (
            list(Predictor.load(folder, catalog, device=d, dtype="fp32").decode_all(sources, beam=beam))
            for d in ("cpu", "cuda")
        )
        for a, b in zip(cpu, gpu, strict=True):
            assert a.hypotheses[0].tokens == b.hypotheses[0].tokens
            assert math.isclose(a.hypotheses[0].score, b.hypotheses[0].score, abs_tol=1e-3)


def test_ctc_is_as_on_the_cpu() -> None:
    torch.manual_seed(1)
    ctc, memory = Ctc(6, 20), random_memory((9, 4, 7), 6)
    labels = Padded(torch.tensor([[5, 5, 7], [8, 0, 0], [0, 0, 0]]), torch.tensor([3, 1, 0]))
    vocabulary = Vocabulary(20, pad=0, bos=1, eos=2, unk=3)
    found = []
    for device in ("cpu", "cuda"):
        ctc.to(device).zero_grad()
        there = Memory(*(part.to(device) for part in memory))
        loss = ctc.loss(there, Padded(*(part.to(device) for part in labels)))
        loss.total.backward()
        outputs = ctc_search(ctc, there, vocabulary, DecodeConfig(beam=4, n_best=4))
        numbers = [loss.total.item(), *(output.score for several in outputs for output in several)]
        found.append(
            (
                [output.tokens for several in outputs for output in several],
                numbers,
                ctc.project.weight.grad.cpu(),
            )
        )
    (texts, numbers, gradient), (other_texts, other_numbers, other_gradient) = found
    assert texts == other_texts
    assert numbers == pytest.approx(other_numbers, abs=1e-3)
    torch.testing.assert_close(gradient, other_gradient, rtol=1e-3, atol=1e-4)


# Ranks -------------------------------------------------------------------------------------------------


def test_tensors_of_a_gpu_travel_by_nccl_and_messages_by_gloo(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    links = Collectives(0, 1)
    try:
        tensors = [torch.arange(6.0, device="cuda").view(2, 3), torch.ones(2)]
        links.add_up(tensors)
        assert torch.equal(tensors[0].cpu(), torch.arange(6.0).view(2, 3))
        assert links.exchange(b"hello") == [b"hello"]
    finally:
        links.leave()


def test_a_rank_without_a_gpu_is_told_so() -> None:
    count = torch.cuda.device_count()
    with pytest.raises(ConfigError, match=rf"process {count} of this machine has no GPU, .* only {count};"):
        choose_device("cuda", "fp32", count)
    assert choose_device("cuda", "fp32", count - 1).device == torch.device("cuda", count - 1)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="two ranks need two GPUs")
def test_two_gpus_train_as_one(workplace: Any) -> None:
    options = [*GPU, "dtype=fp32", "model.encoder.dropout=0", "model.decoder.dropout=0"]
    sets = [f"--set={option}" for option in options]
    environment = {**workplace.environment, "CUDA_VISIBLE_DEVICES": "0,1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    for size in ("1", "2"):
        command = [sys.executable, *torchrun, size, "-m", "seqloom", "train", "job.yaml", *sets]
        subprocess.run(command, cwd=workplace.folder, env=environment, check=True)
    one, two = (
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted((workplace.folder / "runs").glob("2*/metrics.jsonl"))
    )
    losses = [[record["loss"] for record in run if "loss" in record] for run in (one, two)]
    assert len(losses[0]) == 6
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
