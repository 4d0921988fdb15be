"""Means over a window; metrics.jsonl goes on where the training does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqloom.progress import MetricsLog, Window
from seqloom.registry.records import Score


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
    record = window.close()
    assert record["loss"] == pytest.approx(3)
    assert record["nll"] == pytest.approx(1.5)
    assert record["gradient_norm"] == pytest.approx(0.5)
    assert record["targets_per_second"] == pytest.approx(3 / 2)
    assert record["data_wait"] == pytest.approx(0.25)


def test_a_window_begins_anew() -> None:
    window = Window()
    window.seconds = window.waited = 1.0
    window.sums.add(sums(100.0, 1))
    window.close()
    window.seconds = 1.0
    window.sums.add(sums(4.0, 2))
    record = window.close()
    assert record["loss"] == pytest.approx(2)
    assert record["data_wait"] == 0


def test_a_window_without_steps_has_no_means() -> None:
    window = Window()
    window.seconds = 1.0
    assert window.close() is None
    assert window.seconds == 0


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
