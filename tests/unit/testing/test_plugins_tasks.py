"""A whole task keeps its contract; each broken one below fails at least the test named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seqloom.batch import Hypothesis
from seqloom.hooks import Options
from seqloom.task import Baseline, Session, Task
from seqloom.testing import TaskContract
from seqloom.tokenizer import ByteTokenizer


class Spelling(Task):
    """Keeps the contract; its subclasses below each break it in one way."""

    def read_target(self, raw):
        return torch.tensor([*ByteTokenizer().encode(raw), ByteTokenizer().vocabulary.eos])

    def text(self, hypothesis):
        return ByteTokenizer().decode(hypothesis.tokens)

    def pieces(self, raw, flags, modalities):
        return [raw, raw]

    def interpret(self, hypotheses):
        return hypotheses

    def join(self, pieces, results, modalities):
        return sorted((found for result in results for found in result), key=lambda found: -found.score)

    def render(self, hypothesis, example):
        return {"text": self.text(hypothesis), "score": hypothesis.score}

    def configure(self, flags, decode):
        return decode.model_copy(update={"attention": True}) if flags.picture else decode

    def deliver(self, predictions, flags, modalities):
        return []

    def baseline(self, name):
        assert name == "echo"
        return Echo()

    def session(self):
        return Chain()


class Chain(Session):
    """Each line follows all those before it."""

    def __init__(self):
        self.said = ""

    def ask(self, line):
        return {"source": f"{self.said} {line}"}

    def hear(self, prediction):
        self.said = prediction.example.inputs["source"]

    def reset(self):
        self.said = ""


class Echo(Baseline):
    def answer(self, example):
        return Path(example.inputs["source"]).read_text()


class SpellingFlags(Options):
    picture: bool = False


class SpellingContract(TaskContract):
    module = "json"
    flags = SpellingFlags
    baselines = ("echo",)

    def inputs(self, tmp_path):
        (tmp_path / "input").write_text("something to look at")
        return {"source": str(tmp_path / "input")}

    def targets(self):
        return ["a", "täglich zwei"]


class HoldsAFunction(Spelling):
    def __init__(self):
        self.function = lambda raw: raw


class CopiesSayAnother(Spelling):
    def __reduce__(self):
        return Spelling, ()

    def text(self, hypothesis):
        return super().text(hypothesis).upper()


class ReadsTargetsAtRandom(Spelling):
    def read_target(self, raw):
        return torch.randint(300, (40,))


class ReadsShorts(Spelling):
    def read_target(self, raw):
        return super().read_target(raw).int()


class ReadsColumns(Spelling):
    def read_target(self, raw):
        return super().read_target(raw)[:, None]


class ReadsNoTokens(Spelling):
    def read_target(self, raw):
        return super().read_target(raw)[:0]


class LacksEos(Spelling):
    def read_target(self, raw):
        return super().read_target(raw)[:-1]


class SaysNothing(Spelling):
    def text(self, hypothesis):
        return ""


class Quotes(Spelling):
    """Never content."""

    normalization = "quotes-1"

    def normalize(self, text):
        return f"'{text}'"

    def read_target(self, raw):
        return super().read_target(self.normalize(raw))


class ReadsWhatIsNotNormalized(Spelling):
    normalization = "upper-1"

    def normalize(self, text):
        return text.upper()


class Shouts(ReadsWhatIsNotNormalized):
    """Keeps the contract."""

    def read_target(self, raw):
        return super().read_target(self.normalize(raw))


class ShoutsInSecret(Shouts):
    normalization = ""


class HasNoPieces(Spelling):
    def pieces(self, raw, flags, modalities):
        return []


class LosesSlots(Spelling):
    def pieces(self, raw, flags, modalities):
        return [{"audio": value} for value in raw.values()]


class InterpretsNothing(Spelling):
    def interpret(self, hypotheses):
        return hypotheses[:1]


class JoinsWorstFirst(Spelling):
    def join(self, pieces, results, modalities):
        return super().join(pieces, results, modalities)[::-1]


class JoinsInOrder(Spelling):
    def join(self, pieces, results, modalities):
        return [found for result in results for found in result]


class JoinsAnew(Spelling):
    def join(self, pieces, results, modalities):
        return [
            replace(found, details={"pieces": 1}) for found in super().join(pieces, results, modalities)
        ]


class RendersNoScore(Spelling):
    def render(self, hypothesis, example):
        return {"text": self.text(hypothesis)}


class RendersAnotherText(Spelling):
    def render(self, hypothesis, example):
        return super().render(hypothesis, example) | {"text": "another"}


class RendersInfinity(Spelling):
    def render(self, hypothesis, example):
        return super().render(hypothesis, example) | {"confidence": float("inf")}


class RendersTensors(Spelling):
    def render(self, hypothesis, example):
        return super().render(hypothesis, example) | {"attention": torch.zeros(1)}


class Configures(Spelling):
    def configure(self, flags, decode):
        return type(decode)()


class Writes(Spelling):
    def deliver(self, predictions, flags, modalities):
        Path("picture.png").touch()
        return []


class SaysThatItWrote(Spelling):
    def deliver(self, predictions, flags, modalities):
        return ["picture.png"]


class HasNoSessions(Spelling):
    """Keeps the contract."""

    def session(self):
        return None


class ListensTwice(Spelling):
    def session(self):
        session = Chain()
        session.ask = lambda line: setattr(session, "said", session.said + line) or {"source": session.said}
        return session


class AsksForOtherSlots(Spelling):
    def session(self):
        session = Chain()
        session.ask = lambda line: {"audio": line}
        return session


class ForgetsNothing(Spelling):
    def session(self):
        session = Chain()
        session.reset = lambda: None
        return session


class KeepsItsSession(Spelling):
    kept = Chain()

    def session(self):
        return self.kept


class OffersNoBaseline(Spelling):
    def baseline(self, name):
        return Task.baseline(self, name)


class AnswersNothing(Spelling):
    def baseline(self, name):
        baseline = super().baseline(name)
        baseline.answer = lambda example: None
        return baseline


class AnswersInTurn(Spelling):
    def baseline(self, name):
        baseline, said = super().baseline(name), iter("abcdef")
        baseline.answer = lambda example: next(said)
        return baseline


class KeepsItsBaseline(Spelling):
    kept = Echo()

    def baseline(self, name):
        return self.kept


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        (HoldsAFunction, "a_pickled_copy_reads_and_says_the_same"),
        (CopiesSayAnother, "a_pickled_copy_reads_and_says_the_same"),
        (ReadsTargetsAtRandom, "reading_a_target_again_is_the_same"),
        (ReadsShorts, "a_target_has_positions"),
        (ReadsColumns, "a_target_has_positions"),
        (ReadsNoTokens, "a_target_has_positions"),
        (LacksEos, "a_target_written_is_the_target"),
        (SaysNothing, "a_target_written_is_the_target"),
        (ReadsWhatIsNotNormalized, "a_target_written_is_the_target"),
        (ReadsWhatIsNotNormalized, "what_is_normalized_stays_as_it_is"),
        (Quotes, "what_is_normalized_stays_as_it_is"),
        (ShoutsInSecret, "a_normalization_that_changes_a_target_has_a_name"),
        (HasNoPieces, "pieces_are_inputs"),
        (LosesSlots, "pieces_are_inputs"),
        (InterpretsNothing, "one_piece_is_the_whole"),
        (JoinsWorstFirst, "one_piece_is_the_whole"),
        (JoinsAnew, "one_piece_is_the_whole"),
        (JoinsInOrder, "pieces_are_joined_best_first"),
        (RendersNoScore, "records_are_json"),
        (RendersAnotherText, "records_are_json"),
        (RendersInfinity, "records_are_json"),
        (RendersTensors, "records_are_json"),
        (Configures, "default_flags_leave_decoding_as_it_is"),
        (Writes, "default_flags_write_no_files"),
        (SaysThatItWrote, "default_flags_write_no_files"),
        (ListensTwice, "a_session_goes_on_and_begins_anew"),
        (AsksForOtherSlots, "a_session_goes_on_and_begins_anew"),
        (ForgetsNothing, "a_session_goes_on_and_begins_anew"),
        (KeepsItsSession, "a_session_goes_on_and_begins_anew"),
        (OffersNoBaseline, "baselines_answer"),
        (AnswersNothing, "baselines_answer"),
        (AnswersInTurn, "baselines_answer"),
        (KeepsItsBaseline, "baselines_answer"),
    ],
)
def test_a_broken_task_is_refused(task, wanted, failures):
    assert wanted in failures(SpellingContract, build=lambda self: task())


@pytest.mark.parametrize("task", [Spelling, Shouts])
def test_a_whole_task_passes(task, failures):
    assert failures(SpellingContract, build=lambda self: task()) == set()


class Measuring(Spelling):
    """Its target is a number."""

    def read_target(self, raw):
        return torch.tensor([float(raw)])

    def text(self, hypothesis):
        return hypothesis.details["value"]


def test_a_task_may_have_a_target_without_tokens(failures):
    def hypothesis(self, task, raw):
        return Hypothesis(tokens=(), score=0.0, token_scores=(), details={"value": raw})

    said = {"build": lambda self: Measuring(), "targets": lambda self: ["0.5"], "hypothesis": hypothesis}
    assert failures(SpellingContract, **said, target_tokenizer=False) == set()
