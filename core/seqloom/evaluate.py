"""How good is a model? Its loss on given targets, and metrics of what it decodes by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import torch

from seqloom.batch import Progress
from seqloom.config import DecodeConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.dataset import Dataset
from seqloom.decode import decode_batches
from seqloom.device import Device
from seqloom.errors import Interrupted
from seqloom.metrics import Metric, accuracy, perplexity
from seqloom.model import Seq2Seq
from seqloom.progress import added
from seqloom.registry.records import Score
from seqloom.task import Prediction, Task
from seqloom.world import World


class Evaluator:
    """Judges models on one data set.

    Args:
        dataset: With targets.
        task: Makes texts of hypotheses.
        metrics: By name.
        decode: How to search.
        device: Where to compute.
        split: What the scores are said to be of.
        target_signature: What perplexity and accuracy are counted over: the target's tokenizer.

    Attributes:
        stop: Asked before each batch for the number of a signal to stop for.
        world: Who shares the batches.
        predictions: Of the last judgement, of this rank's share.
        texts: Of the last judgement, what was decoded of each example; none but on the first rank.
    """

    def __init__(
        self,
        dataset: Dataset,
        task: Task,
        metrics: Mapping[str, Metric],
        *,
        decode: DecodeConfig,
        device: Device,
        split: str,
        target_signature: str,
    ) -> None:
        self.dataset = dataset
        self.task = task
        self.metrics = metrics
        self.decode = decode
        self.device = device
        self.split = split
        self.target_signature = target_signature
        self.stop: Callable[[], int | None] = lambda: None
        self.world = World()
        self.predictions: list[Prediction] = []
        self.texts: list[str] = []

    def __call__(self, model: Seq2Seq, step: int) -> list[Score]:
        """The scores of a model that has seen ``step`` optimiser steps; keeps its predictions.

        Raises:
            Interrupted: ``stop`` said so.
        """
        model.eval()
        shares = self.world.agree(partial(self._share, model, step))
        scores = self.world.first(lambda: [asdict(score) for score in self._scores(shares, step)])
        return [Score(**score) for score in scores]

    # What each rank does of it ---------------------------------------------------------------------

    def _share(self, model: Seq2Seq, step: int) -> dict[str, Any]:
        """Sums of the loss over this rank's batches, and what it decoded, by position in the data."""
        texts: dict[int, str] = {}
        sums = self._loss_sums(model, step)
        if self.metrics:
            found = decode_batches(
                model, self.task, self.dataset, self._batches(), self.decode, self.device
            )
            self.predictions = list(found.values())
            texts = {id_: self.task.text(prediction.hypotheses[0]) for id_, prediction in found.items()}
        return {"sums": sums, "texts": list(texts.items())}

    def _batches(self) -> Iterator[list[int]]:
        """The batches of one process, dealt out: what is decoded together is the same for any ranks."""
        batches = ordered_batches(self.dataset.lengths, self.decode.batch_size, self.decode.batch_elements)
        for ids in batches[self.world.rank :: self.world.size]:
            signum = self.stop()
            if signum is not None:
                raise Interrupted("stopped within an evaluation; resume the run to go on", signum)
            yield ids

    @torch.inference_mode()
    def _loss_sums(self, model: Seq2Seq, step: int) -> dict[str, float]:
        sums: dict[str, float] = {}
        for ids in self._batches():
            batch = self.dataset.collate(ids, seed=0, epoch=0, augment=False)
            with self.device.autocast():
                loss = model(batch.to(self.device.device), Progress(step, 0))
            for name, value in {"elements": loss.elements, **loss.parts}.items():
                sums[name] = sums.get(name, 0.0) + value.item()
        return sums

    # What comes of it ------------------------------------------------------------------------------

    def _scores(self, shares: Sequence[Mapping[str, Any]], step: int) -> list[Score]:
        sums = added(share["sums"] for share in shares)
        elements = int(sums["elements"])
        values = {"ppl": perplexity(sums["nll"], elements)}
        if "correct" in sums:
            values["accuracy"] = accuracy(int(sums["correct"]), elements)
        counted = self._signed(self.target_signature)
        scores = [self._score(name, value, step, counted) for name, value in values.items()]
        if not self.metrics:
            return scores
        texts = dict(pair for share in shares for pair in share["texts"])
        self.texts = [texts[id_] for id_ in range(len(self.dataset))]
        return scores + self._text_scores(self._everyone, self.texts, step, self._search)

    def baseline_scores(self, name: str, texts: Sequence[str], step: int) -> list[Score]:
        """The metrics of a baseline's answers, as ``nearest/bleu``.

        Args:
            name: The baseline.
            texts: An answer for each example.
            step: Of the model that it stands beside.
        """
        scores = self._text_scores(self._everyone, texts, step, f"|baseline:{name}")
        return [replace(score, metric=f"{name}/{score.metric}") for score in scores]

    def scores_by(self, tag: str, step: int) -> list[Score]:
        """The metrics of the last judgement for each value of a tag, as ``speaker=fcaw/wer``."""
        groups: dict[str, list[int]] = {}
        for id_ in self._everyone:
            groups.setdefault(self.dataset.examples[id_].tags[tag], []).append(id_)
        return [
            replace(score, metric=f"{tag}={value}/{score.metric}")
            for value, ids in sorted(groups.items())
            for score in self._text_scores(ids, self.texts, step, self._search)
        ]

    @property
    def _everyone(self) -> range:
        return range(len(self.dataset))

    @property
    def _search(self) -> str:
        share = "" if self.decode.ctc is None else f"|ctc:{self.decode.ctc:g}"
        least = f"|min:{self.decode.min_length}" if self.decode.min_length else ""
        return f"|beam:{self.decode.beam}|lp:{self.decode.length_penalty:g}{share}{least}"

    def _text_scores(self, ids: Iterable[int], texts: Sequence[str], step: int, how: str) -> list[Score]:
        """The metrics of some examples, whose texts are at their ids."""
        if not self.metrics:
            return []
        examples, normalize = self.dataset.examples, self.task.normalize
        pairs = [(normalize(texts[id_]), list(map(normalize, examples[id_].references))) for id_ in ids]
        scores = []
        for name, metric in self.metrics.items():
            counts = [metric.count(text, references) for text, references in pairs]
            signature = self._signed(metric.signature()) + how
            score = self._score(name, metric.value(counts), step, signature)
            scores.append(replace(score, parts=metric.parts(counts)))
        return scores

    def _signed(self, signature: str) -> str:
        """A signature, and which form of texts it is about."""
        name = self.task.normalization
        return f"{signature}|norm:{name}" if name else signature

    def _score(self, name: str, value: float, step: int, signature: str) -> Score:
        return Score(metric=name, value=value, split=self.split, step=step, signature=signature)
