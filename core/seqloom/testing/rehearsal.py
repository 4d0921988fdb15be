"""Is a model with a part of a plugin's the same after it was saved and loaded?

A small task of our own, which copies texts, stands around the part; a task is rehearsed with its own demo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Padded
from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.data.manifest import read_examples
from seqloom.device import choose_device
from seqloom.export import export_model
from seqloom.hooks import API_VERSION, DemoRequest, ModalitySpec, NoOptions, Options, TaskSpec, hookimpl
from seqloom.jobfile import Job, job_from_dict, load_job
from seqloom.modality import Frontend, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom.predictor import Predictor
from seqloom.site import versions
from seqloom.task import Example, Prediction, TextTask
from seqloom.testing.generic import WIDTH
from seqloom.testing.texts import TEXTS
from seqloom.tokenizer import Tokenizer
from seqloom.trainer import Outcome

seqloom_api = int(str(API_VERSION).partition(".")[0])
NAME = "rehearsal"
EXAMPLES = 50  # of a demo, to learn tokenizers from
SHORT = {"beam": 1, "max_length_factor": 0, "max_length_offset": 8}
PLACES = {"encoder": "encoder", "attention": "attention", "decoder": "decoder", "head": "head"}


@final
class _Lookup(Frontend):
    """A table lookup."""

    def __init__(self, embedding: TokenEmbedding) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, features: Padded) -> Padded:
        return Padded(self.embedding(features.values), features.lengths)


@final
class _Texts(Modality):
    """A text is its token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def read(self, raw: str) -> Tensor:
        return torch.from_numpy(np.array([*self.tokenizer.encode(raw), self.tokenizer.vocabulary.eos]))

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        return features

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> Frontend:  # noqa: ARG002
        assert embedding is not None
        return _Lookup(embedding)


@final
class _Copying(TextTask):
    """Says what it reads."""

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []


def _built(made: Callable[[Tokenizer], Any]) -> Callable[[], Callable[..., Any]]:
    return lambda: lambda _, tokenizer: made(tokenizer)


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """Texts."""
    return [
        ModalitySpec(
            name=NAME, summary="Texts", options=NoOptions, load=_built(_Texts), takes_tokenizer=True
        )
    ]


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Copying."""
    return [
        TaskSpec(
            name=NAME,
            summary="Says what it reads",
            options=NoOptions,
            verb=NAME,
            flags=NoOptions,
            inputs={"source": NAME},
            presets={},
            load=_built(_Copying),
        )
    ]


# Jobs --------------------------------------------------------------------------------------------------


def can_rehearse(kind: str, spec: Any) -> bool:
    """Whether a model can be made around the part."""
    if kind == "task":
        return spec.demo is not None
    if kind == "modality":
        return bool(spec.takes_tokenizer)
    return kind == "tokenizer" or kind in PLACES


def rehearse(kind: str, spec: Any, catalog: Catalog, folder: Path) -> None:
    """Saves a model with the part into the folder and loads it.

    Args:
        kind: Of the part, for which :func:`can_rehearse`.
        spec: The part's.
        catalog: Knows it, and this module as a plugin.
        folder: To write to.

    Raises:
        AssertionError: The model loaded is another than was saved.
    """
    if kind == "task":
        made = spec.demo()(DemoRequest(folder=str(folder), seed=1))
        job = load_job(Path(made.job), catalog, [f"decode.{key}={value}" for key, value in SHORT.items()])
        inputs = [given for given, _ in made.unseen[:2]]
        slots = Builder(job.config, catalog).slots()
        found = islice(read_examples(job.config.data.train, job.root, slots), EXAMPLES)
        examples = [located.example for located in found]
    else:
        job = job_from_dict(_job(kind, spec), catalog, folder)
        inputs = list(TEXTS)
        examples = [Example(row, {"source": text}, text, [text]) for row, text in enumerate(TEXTS)]
    assert_the_same_when_loaded(job, catalog, examples, inputs, folder / "model")


def assert_the_same_when_loaded(
    job: Job, catalog: Catalog, examples: Sequence[Example], inputs: Sequence[str], folder: Path
) -> None:
    """A new model of a job says the same, from the same weights, after it was saved and loaded."""
    builder = Builder(job.config, catalog)
    kit = builder.kit(builder.fit_tokenizers(examples))
    torch.manual_seed(1)
    model = builder.model(kit)
    outcome = Outcome(step=0, scores=[], averaged=())
    export_model(folder, builder, model, kit.tokenizers, outcome, versions(catalog))
    device = choose_device("cpu")
    before = Predictor(job, kit, model, job.config.decode, device=device, uri="", sha256="", steps=0)
    after = Predictor.load(folder, catalog, device="cpu")
    weights = after.model.weights()
    for name, weight in model.weights().items():
        assert torch.equal(weight, weights[name]), f"{name} is loaded with other numbers than were saved"
    assert _said(after, inputs) == _said(before, inputs), "the model loaded says something else"


def _said(predictor: Predictor, inputs: Sequence[str]) -> list[tuple[tuple[int, ...], float]]:
    """The best output of each input, and its score, up to what fp32 loses."""
    best = [prediction.hypotheses[0] for prediction in predictor.decode_all(inputs)]
    return [(found.tokens, round(found.score, 4)) for found in best]


def _job(kind: str, spec: Any) -> dict[str, Any]:
    recurrent = {"name": "rnn", "layers": 1, "hidden": 16}
    model: dict[str, Any] = {"width": WIDTH, "encoder": recurrent, "decoder": recurrent}
    if kind in PLACES:
        model[PLACES[kind]] = spec.name
    if kind == "head" and not spec.takes_decoder:
        model["decoder"] = None
    files = {"source": "source", "target": "target"}
    return {
        "task": NAME,
        "name": NAME,
        "device": "cpu",
        "data": {"train": files, "valid": files},
        "inputs": {"source": spec.name if kind == "modality" else NAME},
        "tokenizers": {"joint": spec.name if kind == "tokenizer" else "byte"},
        "model": model,
        "decode": SHORT,
    }
