"""Dialogue as a task: its contract, a conversation that goes on, presets and the job to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.batch import Hypothesis
from seqloom.catalog import Catalog
from seqloom.errors import ConfigError, DataError
from seqloom.jobfile import load_job
from seqloom.task import Example, Prediction, Session
from seqloom.testing import TaskContract
from seqloom.tokenizer import WordTokenizer
from seqloom_dialogue.presets import JOB, PRESETS
from seqloom_dialogue.task import Dialogue


def build() -> Dialogue:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit(["With milk? Here it is."])
    return Dialogue(tokenizer)


class TestContract(TaskContract):
    module = "seqloom_dialogue"

    def build(self) -> Dialogue:
        return build()

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return {"history": "<user> A coffee, please."}

    def targets(self) -> list[str]:
        return ["With milk?", "Here it is."]


def answer(task: Dialogue, session: Session, line: str, text: str) -> str:
    """Has a line answered; what was asked then."""
    asked = session.ask(line)
    tokens = tuple(task.tokenizer.encode(text))
    found = Hypothesis(tokens=tokens, score=-1.0, token_scores=(-0.5,) * (len(tokens) + 1))
    session.hear(Prediction(Example(0, asked, None, []), [found]))
    return asked["history"]


def test_a_conversation_goes_on() -> None:
    task = build()
    session = task.session()
    assert answer(task, session, "A coffee,  please.", "With milk?") == "<user> A coffee, please."
    assert answer(task, session, "Yes.", "Here it is.") == (
        "<user> A coffee, please. <system> With milk? <user> Yes."
    )
    assert session.ask("Thanks.")["history"] == (
        "<user> A coffee, please. <system> With milk? <user> Yes. <system> Here it is. <user> Thanks."
    )
    session.reset()
    assert session.ask("Thanks.") == {"history": "<user> Thanks."}


def test_a_line_may_be_turns_of_its_own() -> None:
    task = build()
    session = task.session()
    assert answer(task, session, "<system> Hello. <user> A coffee.", "With milk?") == (
        "<system> Hello. <user> A coffee."
    )
    assert session.ask("Yes.")["history"].endswith("<user> A coffee. <system> With milk? <user> Yes.")


def test_a_reply_without_a_word_is_no_turn() -> None:
    task = build()
    session = task.session()
    answer(task, session, "Hello?", "")
    assert session.ask("Hello?") == {"history": "<user> Hello? <user> Hello?"}


@pytest.mark.parametrize("line", ["", "<user>", " <system> "])
def test_nothing_said_is_refused_and_the_conversation_stays(line: str) -> None:
    task = build()
    session = task.session()
    answer(task, session, "A coffee.", "With milk?")
    before = session.ask("Yes.")
    with pytest.raises(DataError, match="nothing is said here; say something"):
        session.ask(line)
    assert session.ask("Yes.") == before


@pytest.mark.parametrize("preset", list(PRESETS))
def test_presets_load(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("preset: tiny", f"preset: {preset}"), encoding="utf-8")
    config = load_job(file, Catalog.from_environment()).config
    assert config.evaluate.best == "bleu"
    assert [part.name for part in config.evaluate.metrics] == ["bleu", "distinct1", "distinct2"]
    assert (config.model.attention is not None) == (preset == "lstm")
    assert config.inputs["history"].options == {"turns": 6, "tokens": 128}


def test_a_window_needs_a_turn(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("turns: 6", "turns: 0"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"inputs\.history\.turns: .*found 0"):
        load_job(file, Catalog.from_environment())
