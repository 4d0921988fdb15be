"""Means over a window; metrics.jsonl goes on where the training does."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest
import torch

from seqloom.errors import ConfigError
from seqloom.progress import MetricsLog, TensorboardLog, Window, check_tensorboard
from seqloom.registry.records import Score
from seqloom.world import World


def sums(total: float, elements: int) -> dict[str, torch.Tensor]:
    return {
        "total": torch.tensor(total),
        "elements": torch.tensor(elements),
        "nll": torch.tensor(total / 2),
    }


def test_a_window_is_a_mean_over_its_targets() -> None:
    window = Window()
    for total, elements in ((6.0, 2), (3.0, 1)):
        window.sums.add(sums(total, elements))
    window.norm, window.seconds, window.waited = torch.tensor(0.5), 2.0, 0.5
    record = window.close(World())
    assert record["loss"] == pytest.approx(3)
    assert record["nll"] == pytest.approx(1.5)
    assert record["gradient_norm"] == pytest.approx(0.5)
    assert record["targets_per_second"] == pytest.approx(3 / 2)
    assert record["data_wait"] == pytest.approx(0.25)


def test_a_window_begins_anew() -> None:
    window = Window()
    window.seconds = window.waited = 1.0
    window.sums.add(sums(100.0, 1))
    window.close(World())
    window.seconds = 1.0
    window.sums.add(sums(4.0, 2))
    record = window.close(World())
    assert record["loss"] == pytest.approx(2)
    assert record["data_wait"] == 0


def test_a_window_without_steps_has_no_means() -> None:
    window = Window()
    window.seconds = 1.0
    assert window.close(World()) is None
    assert window.seconds == 0


# TensorBoard -------------------------------------------------------------------------------------------


def scalars(folder: Path) -> list[tuple[str, int, float]]:
    """What TensorBoard would read: each value with its name and step."""
    proto = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for file in sorted(folder.iterdir()):
        data, start = file.read_bytes(), 0
        while start < len(data):  # a record: its length, a checksum, itself, a checksum
            (size,) = struct.unpack_from("<Q", data, start)
            event = proto.Event.FromString(data[start + 12 : start + 12 + size])
            found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
            start += size + 16
    return found


def test_tensorboard_gets_what_the_log_gets(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    log = TensorboardLog(tmp_path / "events", 0)
    log.stepped(1)
    log.logged({"step": 5, "epoch": 2, "loss": 0.5})
    log.noticed({"step": 5, "event": "skipped", "reason": "the loss is nan"})
    log.evaluated(5, [Score(metric="bleu", value=12.5, split="valid", step=5, signature="s")])
    log.close()
    found = scalars(tmp_path / "events")
    assert [entry for entry in found if "skipped" not in entry[0]] == [
        ("train/epoch", 5, 2.0),
        ("train/loss", 5, 0.5),
        ("valid/bleu", 5, 12.5),
    ]
    assert [entry[:2] for entry in found if "skipped" in entry[0]] == [("skipped/text_summary", 5)]


def test_tensorboard_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ConfigError, match=r"pip install 'seqloom\[tensorboard\]'"):
        check_tensorboard()


# metrics.jsonl -----------------------------------------------------------------------------------------


def steps(file: Path) -> list[int]:
    return [json.loads(line)["step"] for line in file.read_text().splitlines()]


def test_lines_past_the_step_are_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    log = MetricsLog(file, 0)
    for step in (1, 2, 3):
        log.stepped(step)
        log.logged({"step": step, "loss": 0.5})
    MetricsLog(file, 2).evaluated(
        4, [Score(metric="bleu", value=12.5, split="valid", step=4, signature="s")]
    )
    assert steps(file) == [1, 2, 4]
    assert json.loads(file.read_text().splitlines()[-1])["scores"] == {"bleu": 12.5}


def test_half_a_line_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n{"st')
    MetricsLog(file, 5).logged({"step": 6})
    assert steps(file) == [1, 6]


def test_a_new_run_begins_an_empty_file(tmp_path: Path) -> None:
    MetricsLog(tmp_path / "metrics.jsonl", 0)
    assert (tmp_path / "metrics.jsonl").read_text() == ""
