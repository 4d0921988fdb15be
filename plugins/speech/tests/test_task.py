"""Recognising speech as a task: the contract, normalised texts, and a job file to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.catalog import Catalog
from seqloom.task import Task
from seqloom.testing import TaskContract
from seqloom.tokenizer import CharTokenizer, WordTokenizer
from seqloom_speech import TranscribeFlags
from seqloom_speech.normalization import RULES
from seqloom_speech.task import Speech

TEXTS = ["It's 5 o'clock, Ann!", "Yes. The 2nd."]


class TestContract(TaskContract):
    module = "seqloom_speech"
    flags = TranscribeFlags
    normalization = "none"

    def build(self) -> Speech:
        tokenizer = CharTokenizer(normalization="nfc", min_count=1)
        task = Speech(tokenizer, self.normalization)
        tokenizer.fit(map(task.normalize, TEXTS))
        return task

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return {"speech": str(tmp_path / "said.flac")}

    def targets(self) -> list[str]:
        return TEXTS


class TestBasicContract(TestContract):
    normalization = "basic-1"


class TestEnglishContract(TestContract):
    normalization = "english-1"


def test_phones_are_words() -> None:
    """What is between blanks is one token, whatever it is written with."""
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    task = Speech(tokenizer)
    tokenizer.fit(["HH AH0 L OW1", "tʃ ɪ z"])
    assert len(task.read_target("HH OW1 tʃ")) == 4  # EOS
    assert tokenizer.decode(task.read_target("HH OW1 tʃ").tolist()) == "HH OW1 tʃ"


def test_every_rule_can_be_chosen() -> None:
    spec = Catalog.from_environment().get("task", "speech")
    names = spec.options.model_fields["normalization"].annotation.__args__
    assert set(names) == {"none", *RULES}
    for name in names:
        task: Task = spec.load()(spec.options(normalization=name), WordTokenizer("nfc", None, 1))
        assert task.normalize("A, b") == {"none": "A, b"}.get(name, "a b")
        assert task.normalization == name.replace("none", "")


@pytest.mark.parametrize("rule", [None, "", "basic-2"])
def test_another_rule_is_refused(rule: object) -> None:
    with pytest.raises(ValueError, match="normalization"):
        Catalog.from_environment().get("task", "speech").options(normalization=rule)
