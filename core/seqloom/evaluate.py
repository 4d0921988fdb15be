"""How good is a model? Its loss on given targets, and metrics of what it decodes by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from seqloom.batch import Progress
from seqloom.config import DecodeConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.dataset import Dataset
from seqloom.decode import decode_dataset
from seqloom.device import Device
from seqloom.errors import Interrupted
from seqloom.metrics import Metric, accuracy, perplexity
from seqloom.model import Seq2Seq
from seqloom.registry.records import Score
from seqloom.task import Prediction, Task


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
        stop: Asked before each batch for the number of a signal to stop for.
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
        stop: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.dataset = dataset
        self.task = task
        self.metrics = metrics
        self.decode = decode
        self.device = device
        self.split = split
        self.target_signature = target_signature
        self.stop = stop
        self.predictions: list[Prediction] = []

    def __call__(self, model: Seq2Seq, step: int) -> list[Score]:
        """The scores of a model that has seen ``step`` optimiser steps; keeps its predictions.

        Raises:
            Interrupted: ``stop`` said so.
        """
        model.eval()
        scores = self._loss_scores(model, step)
        if self.metrics:
            self.predictions = decode_dataset(
                model, self.task, self.dataset, self.decode, self.device, self._heed
            )
            scores += self._text_scores(step)
        return scores

    def _heed(self) -> None:
        signum = self.stop()
        if signum is not None:
            raise Interrupted("stopped within an evaluation; resume the run to go on", signum)

    @torch.inference_mode()
    def _loss_scores(self, model: Seq2Seq, step: int) -> list[Score]:
        sums: dict[str, float] = {"elements": 0}
        for ids in ordered_batches(self.dataset.lengths, self.decode.batch_size):
            self._heed()
            batch = self.dataset.collate(ids, seed=0, epoch=0, augment=False)
            with self.device.autocast():
                loss = model(batch.to(self.device.device), Progress(step, 0))
            sums["elements"] += loss.elements.item()
            for name, value in loss.parts.items():
                sums[name] = sums.get(name, 0.0) + value.item()
        elements = int(sums["elements"])
        values = {
            "ppl": perplexity(sums["nll"], elements),
            "accuracy": accuracy(int(sums["correct"]), elements),
        }
        return [
            Score(metric=name, value=value, split=self.split, step=step, signature=self.target_signature)
            for name, value in values.items()
        ]

    def _text_scores(self, step: int) -> list[Score]:
        pairs: Sequence[tuple[str, list[str]]] = [
            (self.task.text(prediction.hypotheses[0]), prediction.example.references)
            for prediction in self.predictions
        ]
        scores = []
        for name, metric in self.metrics.items():
            value = metric.value([metric.count(text, references) for text, references in pairs])
            search = f"|beam:{self.decode.beam}|lp:{self.decode.length_penalty:g}"
            scores.append(
                Score(
                    metric=name,
                    value=value,
                    split=self.split,
                    step=step,
                    signature=metric.signature() + search,
                )
            )
        return scores
