"""Every option of the core's parts acts: a case for each changes it, and something else comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from seqloom.batch import Progress
from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.task import Example

CORE = "seqloom"
RNN = "model.encoder={name: rnn, layers: 2, hidden: 6};model.decoder={name: rnn, layers: 2, hidden: 6}"
CONFORMER = "model.encoder={name: conformer, layers: 1, heads: 2, feed_forward: 8, kernel: 3}"
NETWORK = ("encoder", "attention", "decoder", "head")
TEXTS = ["low lower lowest", "low low new", "ﬁne cafe\u0301 ABC", "newer newest new"]
CASES = [  # kind, name, option=value, what else the job says
    *(
        (kind, "transformer", option, base)
        for kind in ("encoder", "decoder")
        for option, base in (
            ("layers=2", ""),
            ("heads=4", ""),
            ("feed_forward=12", ""),
            ("dropout=0.5", ""),
            ("attention_dropout=0.5", ""),
            ("norm=post", ""),
            ("activation=gelu", ""),
            ("positions=learned", ""),
            ("max_positions=99", f"model.{kind}.positions=learned"),
        )
    ),
    *(
        ("encoder", "conformer", option, CONFORMER)
        for option in ("layers=2", "heads=4", "feed_forward=12", "kernel=5", "context=1", "dropout=0.5")
    ),
    ("encoder", "rnn", "cell=gru", RNN),
    ("encoder", "rnn", "layers=1", RNN),
    ("encoder", "rnn", "hidden=4", RNN),
    ("encoder", "rnn", "bidirectional=false", RNN),
    ("encoder", "rnn", "reverse=true", f"{RNN};model.encoder.bidirectional=false"),
    ("encoder", "rnn", "pyramid=1", RNN),
    ("encoder", "rnn", "dropout=0.5", RNN),
    ("decoder", "rnn", "cell=gru", RNN),
    ("decoder", "rnn", "layers=1", RNN),
    ("decoder", "rnn", "hidden=4", RNN),
    ("decoder", "rnn", "input_feeding=true", f"{RNN};model.attention=dot"),
    ("decoder", "rnn", "copying=true", f"{RNN};model.attention=dot"),
    ("decoder", "rnn", "dropout=0.5", RNN),
    ("attention", "additive", "hidden=4", f"{RNN};model.attention=additive"),
    *(
        ("attention", "location", option, f"{RNN};model.attention=location")
        for option in ("hidden=4", "filters=4", "kernel=3", "smoothing=true")
    ),
    ("attention", "dot", "scaled=false", f"{RNN};model.attention=dot"),
    ("head", "sequence", "label_smoothing=0.3", ""),
    ("head", "sequence", "ctc=0.3", ""),
    ("head", "sequence", "coverage=0.5", ""),
    *(("tokenizer", name, "normalization=nfkc", "") for name in ("bpe", "unigram", "word", "char", "byte")),
    ("tokenizer", "bpe", "size=262", ""),
    ("tokenizer", "bpe", "min_count=4", ""),
    ("tokenizer", "unigram", "size=262", ""),
    ("tokenizer", "word", "size=6", ""),
    ("tokenizer", "word", "min_count=3", ""),
    ("tokenizer", "char", "min_count=3", ""),
    ("metric", "bleu", "lowercase=true", ""),
    ("metric", "bleu", "tokenize=char", ""),
    ("metric", "chrf", "lowercase=true", ""),
    ("metric", "chrf", "word_order=2", ""),
    *(("metric", name, "lowercase=true", "") for name in ("cer", "wer", "exact")),
    *(("metric", name, "normalization=none", "") for name in ("cer", "wer", "exact")),
]


def test_every_option_has_a_case(catalog: Catalog) -> None:
    kinds = (*NETWORK, "tokenizer", "metric")
    options = {
        (kind, spec.name, option)
        for kind in kinds
        for spec in catalog.specs(kind)
        if type(spec).__module__.startswith(CORE) and spec.options.__module__.startswith(f"{CORE}.")
        for option in spec.options.model_fields
    }
    assert options == {(kind, name, option.partition("=")[0]) for kind, name, option, _ in CASES}


@pytest.mark.parametrize(("kind", "name", "option", "base"), CASES)
def test_an_option_acts(
    builder: Callable[..., Builder], kind: str, name: str, option: str, base: str
) -> None:
    common = [override for override in ("model.width=8", *base.split(";")) if override]
    if kind in NETWORK:
        before = _first_loss(builder(*common))
        assert _first_loss(builder(*common)) == before
        assert _first_loss(builder(*common, f"model.{kind}.{option}")) != before
    elif kind == "tokenizer":
        before = _tokens(builder(f"tokenizers={{joint: {name}}}"))
        assert _tokens(builder(f"tokenizers={{joint: {_part(name, option)}}}")) != before
    else:
        before = _score(builder(f"evaluate.metrics=[{name}]"))
        assert _score(builder(f"evaluate.metrics=[{_part(name, option)}]")) != before


def _part(name: str, option: str) -> str:
    return f"{{name: {name}, {option.replace('=', ': ')}}}"


def _first_loss(builder: Builder) -> tuple[int, float]:
    """How many weights there are, and the loss that they begin with, dropout and all."""
    located = [Located(Example(i, {"source": text}, text, [text]), i + 1) for i, text in enumerate(TEXTS)]
    kit = builder.kit(builder.fit_tokenizers(one.example for one in located))
    dataset = Dataset.load(located, kit.modalities, kit.task.read_target)
    batch = dataset.collate(range(len(TEXTS)), seed=1, epoch=0, augment=True)
    torch.manual_seed(1)
    model = builder.model(kit).train()
    torch.manual_seed(2)
    return sum(p.numel() for p in model.parameters()), model(batch, Progress(0, 0)).total.item()


def _tokens(builder: Builder) -> Any:
    examples = [Example(i, {"source": text}, text, [text]) for i, text in enumerate(TEXTS)]
    tokenizer = builder.fit_tokenizers(examples)["joint"]
    return [tokenizer.encode(text) for text in TEXTS]


def _score(builder: Builder) -> Any:
    (metric,) = builder.metrics().values()
    counts = [metric.count("A cat, sat on the mat here.", ["a cat sat on the mat, here."])]
    return round(metric.value(counts), 6), metric.signature()
