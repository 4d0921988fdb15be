"""What does a model make of a few examples, and what did it look at? Files for the page, a step each.

``samples/STEP.jsonl`` in a run's folder has a JSON object a line, of the first examples of the split::

    {"id": 3, "inputs": {"source": {"kind": "text", "text": "ein Hund", "file": null}},
     "reference": "a dog", "prediction": "a dog", "score": -0.2, "tokens": ["a", "dog"],
     "source_tokens": ["ein", "Hund", "⏎"], "attention": [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]}

What an evaluation has found already is not searched for again: attention takes one parallel pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast, final

import torch
from torch import Tensor

from seqloom.batch import Batch
from seqloom.data.batching import ordered_batches
from seqloom.data.splits import TARGET, Slot, fragment_of
from seqloom.decode import search
from seqloom.errors import Interrupted
from seqloom.evaluate import Evaluator
from seqloom.jsonable import jsonable
from seqloom.modality import Frontend
from seqloom.model import Seq2Seq
from seqloom.registry.records import Score
from seqloom.storage import writing_aside
from seqloom.task import Example
from seqloom.tokenizer import Tokenizer

FOLDER: Final = "samples"
EXAMPLES: Final = 8
STEPS: Final = 50
"""Files kept at most; where there are more, every other one goes."""
CELLS: Final = 128 * 512
"""Weights of an example that are kept at most: who has more to show has too much to look at."""
PARTS: Final = 10_000
"""What a row of attention is a sum of: four decimals take half the room of seven."""
END: Final = "⏎"
"""How the end of a text is shown where it was looked at."""
MEDIA: Final = ("image", "audio")
SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


@final
class Sampled:
    """A judge that also leaves samples of what it judged.

    They never decide anything: where they cannot be made, that is said, and all goes on.

    Args:
        judge: Judges.
        tokenizers: Of each slot of tokens, ``target`` among them.
        slots: What each input slot takes.
        folder: Where the files go.
        say: Tells a person what went wrong.
        compiled: Whether the model's parts are compiled; samples are too few to be worth kernels.
    """

    def __init__(
        self,
        judge: Evaluator,
        tokenizers: Mapping[str, Tokenizer],
        slots: Mapping[str, Slot],
        folder: Path,
        say: Callable[[str], None],
        *,
        compiled: bool = False,
    ) -> None:
        self._judge = judge
        self._tokenizers = tokenizers
        self._slots = slots
        self._folder = folder
        self._say = say
        self._compiled = compiled

    def __call__(self, model: Seq2Seq, step: int) -> list[Score]:
        """The judge's scores of a model that has seen ``step`` optimiser steps."""
        scores = self._judge(model, step)
        self._judge.world.first(partial(self._leave, model, step))
        return scores

    def _leave(self, model: Seq2Seq, step: int) -> None:
        file = self._folder / f"{step}.jsonl"
        if file.exists():  # a resumed training comes by the same steps again
            return
        device = self._judge.device
        generators = [device.device] if device.is_gpu else []
        try:
            with torch.random.fork_rng(generators), self._uncompiled():
                samples = self._samples(model)
            self._folder.mkdir(exist_ok=True)
            with writing_aside(file) as stream:
                for sample in samples:
                    stream.write(json.dumps(jsonable(sample), ensure_ascii=False) + "\n")
            self._thin()
        except Interrupted:
            raise
        except Exception as error:
            self._say(f"no samples of step {step}: {type(error).__name__}: {error}")

    def _uncompiled(self) -> Any:
        return torch.compiler.set_stance("force_eager") if self._compiled else nullcontext()

    def _thin(self) -> None:
        """Removes every other file where there are too many, and neither the first nor the last."""
        steps = sorted(int(file.stem) for file in self._folder.glob("*.jsonl") if file.stem.isdecimal())
        if len(steps) > STEPS:
            for step in steps[1:-1:2]:
                with suppress(FileNotFoundError):
                    (self._folder / f"{step}.jsonl").unlink()

    # What samples say ------------------------------------------------------------------------------

    @torch.inference_mode()
    def _samples(self, model: Seq2Seq) -> list[dict[str, Any]]:
        """A record of each example, in their order."""
        judge, dataset = self._judge, self._judge.dataset
        decode = judge.decode
        lengths = dataset.lengths[:EXAMPLES]
        found = {one.example.id: one.hypotheses for one in judge.predictions}
        records: dict[int, dict[str, Any]] = {}
        for ids in ordered_batches(lengths, decode.batch_size, decode.batch_elements):
            missing = [[id_ for id_ in ids if id_ not in found]]
            found |= dict(search(model, judge.task, dataset, filter(None, missing), decode, judge.device))
            batch = dataset.collate(ids, seed=0, epoch=0, augment=False).to(judge.device.device)
            with judge.device.autocast():
                best = model.head.with_attention(model.memory(batch), [found[id_][:1] for id_ in ids])
            for row, (id_, [one]) in enumerate(zip(ids, best, strict=True)):
                records[id_] = self._record(dataset.examples[id_], one)
                records[id_] |= self._looks(model, batch, row, getattr(one, "attention", None))
        return [records[id_] for id_ in sorted(records)]

    def _record(self, example: Example, best: Any) -> dict[str, Any]:
        target = self._tokenizers.get(TARGET)
        return {
            "id": example.id,
            "inputs": {slot: shown(raw, self._slots[slot]) for slot, raw in example.inputs.items()},
            "reference": example.references[0] if example.references else example.target,
            "prediction": self._judge.task.text(best),
            "score": best.score,
            "tokens": [] if target is None else list(_spelt(target, best.tokens)),
        }

    def _looks(self, model: Seq2Seq, batch: Batch, row: int, attention: Tensor | None) -> dict[str, Any]:
        """What each token looked at, and what there was to look at."""
        if TARGET not in self._tokenizers or attention is None or attention.numel() > CELLS:
            return {"source_tokens": None, "attention": None}
        positions, grid = attention.shape[1], self._grid(model, batch, row)
        looks: dict[str, Any] = {
            "source_tokens": self._columns(model, batch, row, positions),
            "attention": rounded(attention[:-1]),  # what the end looked at is no token's
        }
        if grid is not None and grid[0] * grid[1] == positions:
            looks["grid"] = grid
        return looks

    def _columns(self, model: Seq2Seq, batch: Batch, row: int, positions: int) -> list[str] | None:
        """The tokens of all inputs, one after another as memories are joined; None where these are none."""
        columns: list[str] = []
        for slot in model.frontends:
            if slot not in self._tokenizers:
                return None
            features = batch.inputs[slot]
            own = row if batch.rows is None else int(batch.rows[row])
            ids = features.values[own, : int(features.lengths[own])].tolist()
            columns += _spelt(self._tokenizers[slot], ids)
        return columns if len(columns) == positions else None

    def _grid(self, model: Seq2Seq, batch: Batch, row: int) -> tuple[int, int] | None:
        """Rows and columns of the positions of the only input; None where they are no grid."""
        slot, *others = model.frontends
        own = row if batch.rows is None else int(batch.rows[row])
        length = int(batch.inputs[slot].lengths[own])
        return None if others else cast("Frontend", model.frontends[slot]).grid(length)


def shown(raw: str, slot: Slot) -> dict[str, Any]:
    """An input as a page shows it.

    Args:
        raw: A text; or a path, perhaps with the part of the file that is meant.
        slot: Which of them.
    """
    if not slot.files:
        return {"kind": "text", "text": raw, "file": None}
    fragment = fragment_of(raw, slot)
    file = Path(raw.removesuffix(fragment)).absolute()
    if slot.medium not in MEDIA or not file.is_file():  # a member of an archive, say
        return {"kind": "text", "text": raw, "file": None}
    times = fragment.removeprefix("#t=").split(",") if slot.fragment == "t" else []
    bounds = zip(("start_s", "end_s"), times, strict=False)
    seconds = {name: float(time) for name, time in bounds if SECONDS.fullmatch(time)}
    return {"kind": slot.medium, "text": None, "file": str(file), **seconds}


def rounded(weights: Tensor) -> list[list[float]]:
    """Rows of attention [U, S], each of whole parts that still make up one."""
    parts = (weights.double() * PARTS).round().long()
    if len(parts):
        most = parts.argmax(1, keepdim=True)
        parts = parts.scatter_add(1, most, PARTS - parts.sum(1, keepdim=True))
    return [[part / PARTS for part in row] for row in parts.tolist()]


def _spelt(tokenizer: Tokenizer, ids: Sequence[int]) -> Iterator[str]:
    """Tokens as people read them."""
    for id_ in ids:
        yield END if id_ == tokenizer.vocabulary.eos else tokenizer.decode([id_])
