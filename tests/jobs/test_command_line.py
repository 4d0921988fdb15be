"""From end to end through the command line: train, translate, evaluate, list; and how each failure ends."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
MODEL = "models:/reverser/1"


def test_arguments_files_and_pipes_give_the_same_text(trained: Any, tmp_path: Path) -> None:
    sources = trained.lines("test.src")[:5]
    pipe = trained.run("translate", MODEL, stdin="".join(f"{line}\n" for line in sources)).stdout
    assert trained.run("translate", MODEL, *sources).stdout == pipe
    (tmp_path / "in.txt").write_text("".join(f"{line}\n" for line in sources), encoding="utf-8")
    done = trained.run("translate", MODEL, "--input", tmp_path / "in.txt", "-o", tmp_path / "out.txt")
    assert done.stdout == ""
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == pipe
    assert len(pipe.splitlines()) == 5
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_json_lines_carry_scores_of_the_n_best(trained: Any) -> None:
    done = trained.run("translate", "reverser/1", "1 2 3", "4 5", "--format", "jsonl", "--n-best", "3")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(record["id"], record["source"]) for record in records] == [(0, "1 2 3"), (1, "4 5")]
    for record in records:
        scores = [output["score"] for output in record["outputs"]]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        best = record["outputs"][0]
        assert len(best["token_scores"]) == len(best["tokens"]) + 1


def test_an_attention_picture_is_drawn(trained: Any, tmp_path: Path) -> None:
    done = trained.run("translate", MODEL, "1 2 3", "--attention", tmp_path / "pictures")
    picture = tmp_path / "pictures" / "0001.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"wrote {picture}" in done.stderr


def test_evaluation_scores_the_test_set(trained: Any, tmp_path: Path) -> None:
    options = ("--beam", "2", "--length-penalty", "1.5", "--batch-size", "9")
    done = trained.run("evaluate", MODEL, "--json", "-o", tmp_path / "out.txt", *options)
    scores = {score["metric"]: score for score in json.loads(done.stdout)}
    assert scores.keys() == {"ppl", "accuracy", "bleu"}
    assert {score["split"] for score in scores.values()} == {"test"}
    assert "beam:2|lp:1.5" in scores["bleu"]["signature"]
    assert len((tmp_path / "out.txt").read_text().splitlines()) == len(trained.lines("test.src"))


def test_runs_and_models_are_listed(trained: Any) -> None:
    (model,) = json.loads(trained.run("models", "list", "--json").stdout)
    assert (model["name"], model["version"], model["task"]) == ("reverser", 1, "translation")
    runs = json.loads(trained.run("runs", "list", "--json").stdout)
    (run,) = (run for run in runs if run["kind"] == "train")
    assert (run["status"], run["device"], run["seed"]) == ("finished", "cpu", 1)
    assert model["run_id"] == run["id"]


# Failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["translate", MODEL, "1 2", "--input", "test.src"], 2, "not both"),
        (["evaluate", MODEL, "--split", "train"], 2, "valid or test"),
        (["translate", "nobody", "1 2"], 78, "no model 'nobody'"),
        (["train", "job.yaml", "--set", "train.stepz=1"], 78, "Did you mean 'steps'"),
        (["train", "job.yaml", "--set", "data.train.source=none.src"], 65, "none.src"),
        (["train", "job.yaml", "--set", "device=cuda"], 78, "cuda was asked for, but"),
    ],
)
def test_mistakes_end_with_their_code(trained: Any, arguments: list[str], code: int, told: str) -> None:
    done = trained.run(*arguments, code=code)
    assert told in done.stderr
    assert done.stdout == ""


def test_bytes_that_are_no_text_end_with_65(trained: Any) -> None:
    assert "UTF-8" in trained.run("translate", MODEL, stdin=b"1 \xff\n", code=65).stderr


def test_an_empty_line_is_told_by_its_number(trained: Any) -> None:
    assert (
        "<stdin>:2: the source is empty" in trained.run("translate", MODEL, stdin="1\n\n", code=65).stderr
    )


def test_an_output_that_cannot_be_written_ends_with_74(trained: Any, tmp_path: Path) -> None:
    done = trained.run("translate", MODEL, "1", "-o", tmp_path / "none" / "out.txt", code=74)
    assert "out.txt" in done.stderr


# Signals -----------------------------------------------------------------------------------------------


def started(workplace: Any, *options: str) -> subprocess.Popen[bytes]:
    """A training that has begun to learn."""
    sets = [f"--set={option}" for option in options]
    process = subprocess.Popen(
        workplace.command("train", "job.yaml", *sets),
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not any(file.stat().st_size for file in workplace.folder.glob("runs/*/metrics.jsonl")):
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.02)
    return process


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_stopped_and_resumed_is_uninterrupted(workplace: Any, site: Any, job: Any) -> None:
    from seqloom.jobs import train_job

    process = started(workplace, "train.steps=300", "evaluate.every=100")
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 128 + signal.SIGTERM, error
    assert "its checkpoint is saved" in error
    (folder,) = (workplace.folder / "runs").glob("2*")
    (checkpoint,) = (folder / "checkpoints").iterdir()
    assert 0 < int(checkpoint.name) < 300
    assert site.registry.run(folder.name).status == "interrupted"
    workplace.run("resume", folder.name)
    assert site.registry.run(folder.name).status == "finished"
    whole = train_job(job("train.steps=300", "evaluate.every=100"), site)
    assert weights(folder) == weights(Path(whole.run.folder))
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 301))


def test_ctrl_c_ends_with_130(workplace: Any) -> None:
    process = started(workplace, "train.steps=100000", "evaluate.every=100000")
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 128 + signal.SIGINT, error
