"""From dialogues of our own to a model, and to conversations with it: in files, in pipes, at a terminal."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import seqloom
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

FOOD = ("soup", "rice", "bread", "fish")
JOB = """\
task: dialogue
preset: {preset}
name: waiter
device: cpu
data:
  train: {{file: train.jsonl, columns: {{history: history, target: reply}}, tags: {{service: service}}}}
  valid: {{file: valid.jsonl, columns: {{history: history, target: reply}}, tags: {{service: service}}}}
  test: {{file: valid.jsonl, columns: {{history: history, target: reply}}, tags: {{service: service}}}}
inputs: {{history: {{turns: 3}}}}
tokenizers: {{joint: word}}
model: {model}
train:
  steps: {steps}
  batch_elements: 256
  learning_rate: 0.004
  schedule: {{name: cosine, warmup: 20}}
evaluate:
  every: 200
  metrics: [exact, bleu, distinct1, distinct2]
  best: exact
  baselines: [frequent, "frequent:service"]
decode: {{beam: 1}}
"""
TINY = """{width: 32, encoder: {layers: 1, heads: 2, feed_forward: 32, dropout: 0.0},
  decoder: {layers: 1, heads: 2, feed_forward: 32, dropout: 0.0}}"""
PATIENCE_S = 300
BACK, DELETE, END = b"\x02", b"\x7f", b"\x04"  # keys: Ctrl-B, backspace, Ctrl-D
LSTM = "{width: 8, encoder: {hidden: 8}, decoder: {hidden: 8}}"

Seqloom = Callable[..., Result]


def rows(count: int, seed: int) -> Iterator[dict[str, str]]:
    """A guest names a dish, or wants the last one again; the waiter says which it is."""
    rng = random.Random(seed)
    for _ in range(count):
        dish = service = rng.choice(FOOD)
        history = ""
        for turn in range(3):
            if turn == 0 or rng.random() < 0.5:
                dish = rng.choice(FOOD) if turn else service
                said, reply = f"I want {dish}", f"one {dish} coming"
            else:
                said, reply = "again", f"{dish} again"
            history = f"{history} <user> {said}".strip()
            yield {"history": history, "reply": reply, "service": service}
            history += f" <system> {reply}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("dialogue")
    for seed, name, count in ((1, "train", 100), (2, "valid", 12)):
        lines = (json.dumps(row) + "\n" for row in rows(count, seed))
        (folder / f"{name}.jsonl").write_text("".join(lines))
    (folder / "job.yaml").write_text(JOB.format(preset="tiny", model=TINY, steps=200))
    (folder / "lstm.yaml").write_text(JOB.format(preset="lstm", model=LSTM, steps=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def seqloom_says() -> Seqloom:
    """``seqloom_says("chat", model, stdin="Hello", code=0)``."""

    def run(*words: object, stdin: str | None = None, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture(scope="module")
def model(place: Path, seqloom_says: Seqloom) -> str:
    return seqloom_says("train", "job.yaml").stdout.strip()


@pytest.fixture
def chat(model: str, seqloom_says: Seqloom) -> Seqloom:
    return lambda *words, stdin=None, code=0: seqloom_says("chat", model, *words, stdin=stdin, code=code)


def test_what_it_has_learned_it_says(chat: Seqloom) -> None:
    said = chat("I want rice", "<user> I want fish <system> one fish coming <user> again").stdout
    assert said == "one rice coming\nfish again\n"


def test_a_pipe_is_a_conversation(chat: Seqloom) -> None:
    said = chat(stdin="I want soup\nagain\nI want rice\nagain\n")
    assert said.stdout == "one soup coming\nsoup again\none rice coming\nrice again\n"
    assert ">" not in said.output


def test_a_conversation_begins_anew_and_ends(chat: Seqloom) -> None:
    records = chat("--format", "jsonl", stdin="I want soup\n /reset \nagain\n/quit\nI want rice\n")
    said = [json.loads(line) for line in records.stdout.splitlines()]
    assert [(record["id"], record["history"]) for record in said] == [
        *((0, "<user> I want soup"), (1, "<user> again"))
    ]


def test_history_is_what_was_said_and_answered(chat: Seqloom) -> None:
    records = chat("--format", "jsonl", "--beam", 2, "--n-best", 2, stdin="I want soup\nagain")
    first, second = (json.loads(line) for line in records.stdout.splitlines())
    best = first["outputs"][0]["text"]
    assert len(first["outputs"]) == 2
    assert second["history"] == f"<user> I want soup <system> {best} <user> again"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "<stdin>:2: nothing is said here; say something"),
        ("/rest", "<stdin>:2: no command '/rest'; there are: /quit, /reset. Did you mean '/reset'?"),
    ],
)
def test_a_line_that_cannot_be_used_ends_a_pipe(chat: Seqloom, line: str, message: str) -> None:
    refused = chat(stdin=f"I want soup\n{line}\nagain\n", code=65)
    assert message in refused.stderr
    assert refused.stdout == "one soup coming\n"


def test_lines_of_a_file_stand_alone(place: Path, chat: Seqloom) -> None:
    (place / "asked.txt").write_text(
        "I want soup\n<user> I want fish <system> one fish coming <user> again\n"
    )
    assert chat("--input", "asked.txt", "--output", "said.txt").stdout == ""
    assert (place / "said.txt").read_text() == "one soup coming\nfish again\n"
    assert "give inputs or --input FILE, not both" in chat("again", "--input", "asked.txt", code=2).stderr


def test_it_is_scored_beside_the_most_frequent_reply_of_a_service(
    model: str, seqloom_says: Seqloom
) -> None:
    shown = seqloom_says("evaluate", model, "--json")
    scores = {score["metric"]: score for score in json.loads(shown.stdout)}
    assert scores["exact"]["value"] == 100
    train, valid = (
        [json.loads(line) for line in Path(f"{name}.jsonl").read_text().splitlines()]
        for name in ("train", "valid")
    )
    often = {dish: Counter(row["reply"] for row in train if row["service"] == dish) for dish in FOOD}
    right = sum(often[row["service"]].most_common(1)[0][0] == row["reply"] for row in valid)
    assert scores["frequent:service/exact"]["value"] == pytest.approx(100 * right / len(valid))
    assert scores["frequent/exact"]["value"] < scores["frequent:service/exact"]["value"] < 100
    words = [word for row in valid for word in row["reply"].split()]
    assert scores["distinct1"]["value"] == pytest.approx(100 * len(set(words)) / len(words))
    assert scores["distinct1"]["parts"] == {"words": len(words), "different": len(set(words))}
    assert scores["distinct2"]["signature"].startswith("case:lc|tok:words and marks|per:words|beam:1")


def test_it_can_be_talked_to_from_python(model: str) -> None:
    partner = seqloom.load(model, device="cpu")
    session = partner.session(beam=2)
    texts = [partner.kit.task.text(session.next(line).hypotheses[0]) for line in ("I want soup", "again")]
    assert texts == ["one soup coming", "soup again"]
    session.reset()
    assert session.next("again").example.inputs == {"history": "<user> again"}


def test_an_lstm_with_attention_trains(place: Path, seqloom_says: Seqloom) -> None:
    assert seqloom_says("train", "lstm.yaml").stdout.startswith("models:/waiter/")


def shown(terminal: int, until: bytes) -> None:
    """Reads what a terminal shows, up to some bytes and no further."""
    seen = b""
    while not seen.endswith(until):
        ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
        assert ready, f"{until!r} is not in {seen!r}"
        seen += os.read(terminal, 1)


@pytest.mark.slow
def test_at_a_terminal_lines_are_edited_and_errors_told(place: Path, model: str) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "seqloom", "chat", model, "--device", "cpu"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TERM": "dumb"},
    ) as process:
        os.close(theirs)
        try:
            for typed, answer in (
                (b"I want sXoup" + 3 * BACK + DELETE + b"\n", b"\r\none soup coming\r\n"),
                (b"/rest\n", b""),
                (b"again\n", b"\r\nsoup again\r\n"),
                (END, b""),
            ):
                shown(ours, b"> ")
                os.write(ours, typed)
                shown(ours, answer)
            _, told = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            os.close(ours)
    assert process.returncode == 0, told
    assert "error: no command '/rest'; there are: /quit, /reset. Did you mean '/reset'?" in told
