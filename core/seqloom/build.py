"""Names to objects: the only room that wires what a job names to what plugins provide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from seqloom.catalog import Catalog
from seqloom.config import JobConfig, Part
from seqloom.data.splits import Slot
from seqloom.errors import CorruptError
from seqloom.head import Head
from seqloom.hooks import AttentionParts, DecoderParts, EncoderParts, HeadParts, Options
from seqloom.judging import Goal
from seqloom.metrics import Metric
from seqloom.modality import Frontend, Modality
from seqloom.model import Seq2Seq
from seqloom.nn.attention import AnyAttention
from seqloom.nn.decoder import AnyDecoder
from seqloom.nn.embedding import TiedProjection, TokenEmbedding, free_projection
from seqloom.nn.encoder import Encoder
from seqloom.task import Example, Task
from seqloom.tokenizer import Tokenizer, read_tokenizer_file, save_tokenizer

TARGET, JOINT = "target", "joint"


@dataclass(frozen=True)
class Kit:
    """What a job's names became.

    Attributes:
        task: Reads targets, shows results.
        modalities: For each input slot.
        slots: What each input slot takes.
        tokenizers: By the name that the job gives them: a slot's, or ``joint``.
        target_signature: What perplexity and accuracy are counted over, as ``token:bpe|size:8000``;
            empty for a target without tokens.
        flags: Of the task's verb, as they are where a user gives none.
    """

    task: Task
    modalities: dict[str, Modality]
    slots: dict[str, Slot]
    tokenizers: dict[str, Tokenizer]
    target_signature: str
    flags: Options

    @property
    def from_files(self) -> set[str]:
        """Slots whose inputs are files."""
        return {slot for slot, kind in self.slots.items() if kind.files}

    def tokenizer(self, slot: str) -> Tokenizer | None:
        """The tokenizer of a slot, None for one without tokens."""
        return self.tokenizers.get(slot, self.tokenizers.get(JOINT))


class Builder:
    """Builds what a job names.

    Args:
        config: The job, its parts resolved.
        catalog: What the installed plugins provide.
    """

    def __init__(self, config: JobConfig, catalog: Catalog) -> None:
        self.config = config
        self.catalog = catalog
        self.task_spec = catalog.get("task", config.task.name)

    # Tokenizers ------------------------------------------------------------------------------------

    def fit_tokenizers(self, examples: Iterable[Example]) -> dict[str, Tokenizer]:
        """Learns each tokenizer from the training texts of the slots it serves.

        Args:
            examples: Gone through once for each slot; an iterator, which is soon used up, is kept whole.
        """
        if isinstance(examples, Iterator):
            examples = list(examples)
        return {name: self._fit(name, part, examples) for name, part in self.config.tokenizers.items()}

    def _fit(self, name: str, part: Part, examples: Iterable[Example]) -> Tokenizer:
        slots = [slot for slot, serving in self.token_slots().items() if serving == name]
        tokenizer = self._tokenizer(part)
        tokenizer.fit(text for slot in slots for text in self._texts(slot, examples, tokenizer))
        return tokenizer

    def _texts(self, slot: str, examples: Iterable[Example], tokenizer: Tokenizer) -> Iterator[str]:
        """What a tokenizer is to learn from a slot."""
        if slot != TARGET:
            yield from (example.inputs[slot] for example in examples)
            return
        normalize = self._task(tokenizer).normalize
        for example in examples:
            assert example.target is not None  # noqa: S101 - training data is read with its target
            yield normalize(example.target)

    def save_tokenizers(self, folder: Path, tokenizers: Mapping[str, Tokenizer]) -> None:
        """Writes ``<name>.json`` for each tokenizer."""
        folder.mkdir(exist_ok=True)
        for name, part in self.config.tokenizers.items():
            save_tokenizer(folder / f"{name}.json", part.name, part.options, tokenizers[name])

    def load_tokenizers(self, folder: Path) -> dict[str, Tokenizer]:
        """Reads what :meth:`save_tokenizers` wrote.

        Raises:
            CorruptError: A file is another tokenizer's than the job names.
        """
        return {
            name: self._load_tokenizer(folder / f"{name}.json", part)
            for name, part in self.config.tokenizers.items()
        }

    def _load_tokenizer(self, file: Path, part: Part) -> Tokenizer:
        name, _, state = read_tokenizer_file(file)
        if name != part.name:
            raise CorruptError(f"{file}: this is a {name} tokenizer, the job names {part.name}")
        tokenizer = self._tokenizer(part)
        tokenizer.restore(state)
        return tokenizer

    def _tokenizer(self, part: Part) -> Tokenizer:
        tokenizer: Tokenizer = self._build("tokenizer", part)
        return tokenizer

    def token_slots(self) -> dict[str, str]:
        """For each slot of tokens, the name of the tokenizer that serves it."""
        slots = [slot for slot in self.task_spec.inputs if self._modality_spec(slot).takes_tokenizer]
        slots += [TARGET] if self.task_spec.target_tokenizer else []
        return {slot: JOINT if JOINT in self.config.tokenizers else slot for slot in slots}

    # Data ------------------------------------------------------------------------------------------

    def slots(self) -> dict[str, Slot]:
        """What each input slot takes."""
        specs = {slot: self._modality_spec(slot) for slot in self.task_spec.inputs}
        return {slot: Slot(spec.files, spec.fragment, spec.medium) for slot, spec in specs.items()}

    def kit(self, tokenizers: dict[str, Tokenizer]) -> Kit:
        """The task and the modalities, with their tokenizers."""
        modalities = {}
        for slot in self.task_spec.inputs:
            spec = self._modality_spec(slot)
            given = tokenizers.get(slot, tokenizers.get(JOINT)) if spec.takes_tokenizer else None
            name = self._input_part(slot).name
            modalities[slot] = self.catalog.build("modality", name, self._input_options(slot), given)
        target = tokenizers.get(TARGET, tokenizers.get(JOINT))
        task = self.task(tokenizers)
        part = self.config.tokenizers.get(TARGET, self.config.tokenizers.get(JOINT))
        signature = f"token:{part.name}|size:{target.vocabulary.size}" if part and target else ""
        return Kit(task, modalities, self.slots(), tokenizers, signature, self.task_spec.flags())

    def task(self, tokenizers: Mapping[str, Tokenizer]) -> Task:
        """The task, with the target's tokenizer."""
        return self._task(tokenizers.get(TARGET, tokenizers.get(JOINT)))

    def _task(self, target: Tokenizer | None) -> Task:
        options = self.task_spec.options(**self.config.task.options)
        given = target if self.task_spec.target_tokenizer else None
        task: Task = self.catalog.build("task", self.task_spec.name, options, given)
        return task

    def _input_part(self, slot: str) -> Part:
        return self.config.inputs.get(slot, Part(name=self.task_spec.inputs[slot]))

    def _modality_spec(self, slot: str) -> Any:
        return self.catalog.get("modality", self._input_part(slot).name)

    def _input_options(self, slot: str) -> Any:
        return self._modality_spec(slot).options(**self._input_part(slot).options)

    # Scores ----------------------------------------------------------------------------------------

    def metrics(self) -> dict[str, Metric]:
        """The job's metrics by name."""
        return {part.name: self._build("metric", part) for part in self.config.evaluate.metrics}

    def goal(self) -> Goal:
        """The score that decides which checkpoint is best."""
        name = self.config.evaluate.best
        if name in ("ppl", "accuracy"):
            return Goal(name, higher_is_better=name == "accuracy")
        return Goal(name, self.catalog.get("metric", name).higher_is_better)

    # The model -------------------------------------------------------------------------------------

    def model(self, kit: Kit) -> Seq2Seq:
        """The model with fresh weights, from torch's global generator."""
        embeddings = {
            name: TokenEmbedding(
                tokenizer.vocabulary.size, self.config.model.width, tokenizer.vocabulary.pad
            )
            for name, tokenizer in kit.tokenizers.items()
        }
        frontends = {
            slot: modality.frontend(self.config.model.width, embeddings.get(slot, embeddings.get(JOINT)))
            for slot, modality in kit.modalities.items()
        }
        encoders = {
            slot: self._build(
                "encoder", self.config.model.encoder, EncoderParts(width=self.config.model.width)
            )
            for slot in kit.modalities
        }
        head = self._head(kit, embeddings, next(iter(encoders.values())))
        rates = {slot: modality.rate for slot, modality in kit.modalities.items()}
        copied = {slot for slot in kit.modalities if self._is_copied(slot, frontends[slot], encoders[slot])}
        return Seq2Seq(frontends, encoders, head, rates, copied)

    def _is_copied(self, slot: str, frontend: Frontend, encoder: Encoder) -> bool:
        """Whether each position of a slot's memory is a token that the target may have."""
        is_joint = self.token_slots().get(slot) == JOINT and self.task_spec.target_tokenizer
        return is_joint and frontend.stride == encoder.stride == 1

    def _head(self, kit: Kit, embeddings: Mapping[str, TokenEmbedding], encoder: Encoder) -> Head[Any]:
        part = self.config.model.head
        decoder = None
        if self.catalog.get("head", part.name).takes_decoder:
            decoder = self._decoder(embeddings.get(TARGET, embeddings.get(JOINT)), encoder)
        target = kit.tokenizer(TARGET)
        parts = HeadParts(
            memory_width=encoder.width,
            memory_final=encoder.final_shape,
            decoder=decoder,
            vocabulary=None if target is None else target.vocabulary,
        )
        head: Head[Any] = self._build("head", part, parts)
        return head

    def _decoder(self, embedding: TokenEmbedding | None, encoder: Encoder) -> AnyDecoder:
        assert embedding is not None  # noqa: S101 - jobfile checks that the target has a tokenizer
        model = self.config.model
        assert model.decoder is not None  # noqa: S101 - jobfile checks that the head has its decoder
        output: nn.Module = (
            TiedProjection(embedding) if model.tie_output else free_projection(model.width, embedding.size)
        )
        parts = DecoderParts(
            width=model.width,
            memory_width=encoder.width,
            memory_final=encoder.final_shape,
            embedding=embedding,
            output=output,
            attention=None if model.attention is None else self._attention(model.attention, encoder),
        )
        decoder: AnyDecoder = self._build("decoder", model.decoder, parts)
        return decoder

    def _attention(self, part: Part, encoder: Encoder) -> Any:
        def make(query_width: int) -> AnyAttention:
            parts = AttentionParts(query_width=query_width, memory_width=encoder.width)
            attention: AnyAttention = self._build("attention", part, parts)
            return attention

        return make

    def _build(self, kind: str, part: Part, *parts: Any) -> Any:
        options = self.catalog.get(kind, part.name).options(**part.options)
        return self.catalog.build(kind, part.name, options, *parts)
