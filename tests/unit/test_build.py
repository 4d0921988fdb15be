"""Names become objects: which tokenizer serves which slot, what is tied, and every architecture learns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqloom.batch import Padded
from seqloom.build import Builder, Kit
from seqloom.data.splits import Slot
from seqloom.errors import ConfigError, CorruptError
from seqloom.jobfile import Job
from seqloom.jobs import train_job
from seqloom.judging import Goal
from seqloom.nn.embedding import TokenEmbedding
from seqloom.site import Site
from seqloom.task import Example

MakeBuilder = Callable[..., Builder]
EXAMPLES = [Example(0, {"source": "a b c"}, "x y", ["x y"]), Example(1, {"source": "b"}, "y z", ["y z"])]
APART = ("tokenizers={source: word, target: word}",)
RNN = "{name: rnn, layers: 1, hidden: 8, cell: %s}"
COPYING = "{name: rnn, layers: 1, hidden: 8, copying: true}"


def kit_of(builder: Builder) -> Kit:
    return builder.kit(builder.fit_tokenizers(EXAMPLES))


def sizes(builder: Builder) -> list[int]:
    """Of the embedding tables, each once."""
    model = builder.model(kit_of(builder))
    return [part.size for part in model.modules() if isinstance(part, TokenEmbedding)]


def test_a_joint_tokenizer_learns_from_both_sides(builder: MakeBuilder) -> None:
    kit = kit_of(builder())
    assert kit.tokenizer("source") is kit.tokenizer("target") is not None
    assert kit.tokenizer("source").vocabulary.size == 4 + 6


def test_tokenizers_apart_learn_from_their_sides(builder: MakeBuilder) -> None:
    kit = kit_of(builder("data.root=.", *APART))
    assert kit.tokenizer("source").decode(kit.tokenizer("source").encode("a")) == "a"
    assert kit.tokenizer("target").encode("a") == kit.tokenizer("target").encode("b")  # both unknown


def test_a_tokenizer_learns_targets_as_the_task_has_them(
    builder: MakeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqloom_translation.task.Translation.normalize", lambda _, text: text.upper())
    kit = kit_of(builder())
    source = kit.tokenizer("source").encode("a b c")
    assert kit.tokenizer("source").decode(source) == "a b c"  # it alone stays as it is
    assert kit.tokenizer("target").decode(kit.task.read_target("x Y").tolist()) == "X Y"
    assert kit.task.read_target("x y").tolist()[:2] == kit.tokenizer("target").encode("X Y")


def test_a_joint_tokenizer_ties_embeddings(builder: MakeBuilder) -> None:
    assert sizes(builder()) == [10]
    assert len(sizes(builder(*APART))) == 2


def parameters(builder: Builder) -> int:
    return sum(p.numel() for p in builder.model(kit_of(builder)).parameters())


def test_an_untied_output_has_a_table_of_its_own(builder: MakeBuilder) -> None:
    tied, free = parameters(builder()), parameters(builder("model.tie_output=false"))
    assert free - tied in {10 * 32, 10 * 32 + 10}  # with or without a bias


def test_tokenizers_come_back_from_their_files(builder: MakeBuilder, tmp_path: Path) -> None:
    made = builder(*APART)
    fitted = made.fit_tokenizers(EXAMPLES)
    made.save_tokenizers(tmp_path / "tokenizers", fitted)
    loaded = made.load_tokenizers(tmp_path / "tokenizers")
    assert loaded.keys() == {"source", "target"}
    assert loaded["source"].encode("a b c d") == fitted["source"].encode("a b c d")
    other = builder("tokenizers={source: char, target: word}")
    with pytest.raises(CorruptError, match=r"source\.json: this is a word tokenizer, the job names char"):
        other.load_tokenizers(tmp_path / "tokenizers")


@pytest.mark.parametrize(("best", "up"), [("ppl", False), ("accuracy", True), ("bleu", True)])
def test_the_goal_knows_which_way_is_up(builder: MakeBuilder, best: str, up: bool) -> None:
    made = builder("evaluate.metrics=[bleu]", f"evaluate.best={best}")
    assert made.goal() == Goal(best, up)
    assert list(made.metrics()) == ["bleu"]


def test_slots_of_text_hold_no_paths(builder: MakeBuilder) -> None:
    assert builder().slots() == {"source": Slot()}


@pytest.mark.parametrize(
    ("said", "copied"),
    [((), {"source"}), (APART, set()), (("model.encoder={name: rnn, hidden: 8, pyramid: 1}",), set())],
)
def test_positions_are_copied_where_each_is_a_token_of_the_target(
    said: tuple[str, ...], copied: set[str], builder: MakeBuilder
) -> None:
    made = builder(*said)
    kit = kit_of(made)
    model = made.model(kit)
    ids = kit.modalities["source"].read("a b")[None]
    memory = model.encode({"source": Padded(ids, torch.tensor([3]))})
    assert model.copied == copied
    if copied:
        assert memory.copy_ids is not None
        assert torch.equal(memory.copy_ids, ids)
        assert torch.equal(memory.take(torch.tensor([0, 0])).copy_ids, ids.expand(2, -1))
    else:
        assert memory.copy_ids is None


def architectures() -> list[tuple[str, ...]]:
    small = "{name: transformer, layers: 1, heads: 2, feed_forward: 16}"
    rnn = [
        ("rnn", RNN % cell, RNN % cell, attention)
        for cell in ("lstm", "gru")
        for attention in ("{name: additive, hidden: 8}", "dot", "null")
    ]
    mixed = [("mixed", small, RNN % "gru", "dot"), ("mixed", RNN % "lstm", small, "null")]
    variants = [
        ("post", small[:-1] + ", norm: post}", small, "null"),
        ("learned", small[:-1] + ", positions: learned}", small, "null"),
        ("fed", RNN % "lstm", "{name: rnn, layers: 1, hidden: 8, input_feeding: true}", "dot"),
        ("copying", RNN % "lstm", COPYING, "dot"),
    ]  # fmt: skip
    return [("transformer", small, small, "null"), *rnn, *mixed, *variants]


@pytest.mark.parametrize(("name", "encoder", "decoder", "attention"), architectures())
def test_every_architecture_trains_by_a_job(
    job: Callable[..., Job], site: Site, name: str, encoder: str, decoder: str, attention: str
) -> None:
    parts = (f"model.encoder={encoder}", f"model.decoder={decoder}", f"model.attention={attention}")
    small = ("model.width=8", "train.steps=2", "evaluate.every=2", "train.batch_elements=64")
    trained = train_job(job(*parts, *small, "train.schedule.warmup=0"), site)
    assert trained.run.status == "finished"
    values = {score.metric: score.value for score in trained.scores}
    assert 1 < values["ppl"] < 100


@pytest.mark.parametrize("encoder", ["none", "{name: rnn, hidden: 8}"])
def test_ctc_alone_trains_by_a_job(job: Callable[..., Job], site: Site, encoder: str) -> None:
    parts = (f"model.encoder={encoder}", "model.decoder=null", "model.head=ctc", "evaluate.metrics=[cer]")
    trained = train_job(job(*parts, "train.steps=2", "evaluate.best=cer"), site)
    assert [score.metric for score in trained.scores] == ["ppl", "cer"]


def test_copying_from_tokens_of_another_kind_is_refused(job: Callable[..., Job], site: Site) -> None:
    parts = (f"model.decoder={COPYING}", "model.attention=dot", "model.encoder={name: rnn, hidden: 8}")
    with pytest.raises(ConfigError, match=r"model\.decoder\.copying copies tokens of the input"):
        train_job(job(*APART, *parts, "train.steps=1"), site)


def test_ctc_alone_has_no_accuracy_to_be_best_by(job: Callable[..., Job], site: Site) -> None:
    parts = ("model.decoder=null", "model.head=ctc", "evaluate.best=accuracy")
    with pytest.raises(ConfigError, match=r"gives no accuracy; choose among ppl"):
        train_job(job(*parts, "train.steps=1"), site)


def test_a_search_that_the_model_cannot_do_is_refused_before_training(
    job: Callable[..., Job], site: Site
) -> None:
    with pytest.raises(ConfigError, match=r"decode\.ctc 0\.3 .* learned none"):
        train_job(job("decode.ctc=0.3"), site)
    assert not list(site.runs.glob("*/checkpoints/*"))
