"""What a plugin may say: the markers, the frozen specs, and the hook specifications.

A plugin's entry module imports this module and nothing else of Seqloom, and no torch: it names what the
plugin offers. The code itself is imported by a spec's ``load`` when a job first needs it::

    from seqloom.hooks import ModalitySpec, Options, hookimpl

    seqloom_api = 1

    class ImuOptions(Options):
        rate_hz: int = Field(100, description="Samples a second.")

    @hookimpl
    def seqloom_modalities():
        return [ModalitySpec(name="imu", summary="Inertial sensors", options=ImuOptions, load=_load)]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:  # floor 0 never imports torch
    from torch import nn

    from seqloom.head import Head
    from seqloom.metrics import Metric
    from seqloom.modality import Modality
    from seqloom.nn.attention import AnyAttention
    from seqloom.nn.decoder import AnyDecoder
    from seqloom.nn.embedding import TokenEmbedding
    from seqloom.nn.encoder import Encoder
    from seqloom.registry.records import Run, Score
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer
    from seqloom.vocabulary import Vocabulary

PROJECT = "seqloom"
API_VERSION = "1.1"
"""Of what docs/interface.md lists: changes that break plugins raise the first number, others the other."""
ENTRY_POINT_GROUP = "seqloom"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Options(BaseModel):
    """What a user may set of a part: frozen, unknown keys refused.

    Give each field a default where one makes sense, and a ``description``: it becomes the help text.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,  # a saved job is JSON
        defer_build=True,  # to name what may be set, as `--help` does, needs no validator
    )


class NoOptions(Options):
    """For a part that has nothing to set."""


OptionsT = TypeVar("OptionsT", bound=Options)


# What a builder is given besides its options -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EncoderParts:
    """Attributes: ``width``, D of the features to read, and of the model."""

    width: int


@dataclass(frozen=True, kw_only=True)
class AttentionParts:
    """What an attention is built for.

    Attributes:
        query_width: Q of the queries.
        memory_width: D of the memory's values.
    """

    query_width: int
    memory_width: int


@dataclass(frozen=True, kw_only=True)
class DecoderParts:
    """What a decoder is built for.

    Attributes:
        width: D of the model: of the embedding, and of the states that ``output`` takes.
        memory_width: D of the memory's values.
        memory_final: (L, H) of the memory's final state.
        embedding: Tokens to vectors.
        output: States [.., D] to logits [.., V].
        attention: Makes an attention for queries of the width given; None where the job names none.
    """

    width: int
    memory_width: int
    memory_final: tuple[int, int]
    embedding: TokenEmbedding
    output: nn.Module
    attention: Callable[[int], AnyAttention] | None


@dataclass(frozen=True, kw_only=True)
class HeadParts:
    """What a head is built for.

    Attributes:
        memory_width: D of the memory's values.
        memory_final: (L, H) of the memory's final state.
        decoder: The job's decoder, None for a head whose spec takes none.
        vocabulary: Of the target's tokenizer, None for a task without one.
    """

    memory_width: int
    memory_final: tuple[int, int]
    decoder: AnyDecoder | None
    vocabulary: Vocabulary | None


# Specs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[OptionsT]):
    """What all parts say of themselves.

    Attributes:
        name: What a job file says.
        summary: One line for ``seqloom plugins list``.
        options: What may be set.
    """

    name: str
    summary: str
    options: type[OptionsT]


@dataclass(frozen=True, kw_only=True)
class EncoderSpec(Spec[OptionsT]):
    """An encoder; ``load`` imports its code and gives its builder."""

    load: Callable[[], Callable[[OptionsT, EncoderParts], Encoder]]


@dataclass(frozen=True, kw_only=True)
class AttentionSpec(Spec[OptionsT]):
    """An attention over a memory."""

    load: Callable[[], Callable[[OptionsT, AttentionParts], AnyAttention]]


@dataclass(frozen=True, kw_only=True)
class DecoderSpec(Spec[OptionsT]):
    """A decoder.

    Attributes:
        load: Imports its code and gives its builder.
        takes_attention: Whether ``model.attention`` may name one; where not, naming one is an error.
    """

    load: Callable[[], Callable[[OptionsT, DecoderParts], AnyDecoder]]
    takes_attention: bool = False


@dataclass(frozen=True, kw_only=True)
class HeadSpec(Spec[OptionsT]):
    """A head.

    Attributes:
        load: Imports its code and gives its builder.
        takes_decoder: Whether it needs ``model.decoder`` and a target vocabulary.
    """

    load: Callable[[], Callable[[OptionsT, HeadParts], Head[Any]]]
    takes_decoder: bool = False


@dataclass(frozen=True, kw_only=True)
class TokenizerSpec(Spec[OptionsT]):
    """A tokenizer, not yet fitted."""

    load: Callable[[], Callable[[OptionsT], Tokenizer]]


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec[OptionsT]):
    """A score of hypotheses against references.

    Attributes:
        load: Imports its code and gives its builder.
        higher_is_better: Which way is up, for early stopping and ``best``.
    """

    load: Callable[[], Callable[[OptionsT], Metric]]
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class ModalitySpec(Spec[OptionsT]):
    """A kind of input.

    Attributes:
        load: Imports its code and gives its builder; the tokenizer is None unless asked for.
        takes_tokenizer: Whether its inputs are tokens; the slot's tokenizer is then fitted and given.
        files: What its files end in, as ``(".png", ".jpg")``: its column of a data file then holds paths,
            relative to the data's root, and its verbs take files, folders and patterns. Empty where its
            inputs are texts.
        fragment: Which part of a file an input may be, as ``t`` (seconds) in ``talk.flac#t=12.5,17`` (W3C
            Media Fragments URI 1.0): its slot may then have further columns, for the numbers.
        pools_by: Gives, where some options ask for it, the tag whose examples the modality sees together
            (``Modality.pools_by``): a job is refused whose data does not have it.
        medium: What its files are to people, ``image`` or ``audio``: a page shows or plays them. Empty for
            texts, and for files that are shown by their names.
    """

    load: Callable[[], Callable[[OptionsT, Tokenizer | None], Modality]]
    takes_tokenizer: bool = False
    files: Sequence[str] = ()
    fragment: str = ""
    pools_by: Callable[[OptionsT], str | None] | None = None
    medium: str = ""


@dataclass(frozen=True, kw_only=True)
class DemoRequest:
    """What ``seqloom demo TASK`` hands to a task's demo.

    Attributes:
        folder: Where to write; exists, and may hold an earlier demo's files, which are overwritten.
        seed: Of everything random.
    """

    folder: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class FormatSpec:
    """A form in which a task's outputs may be written, beside text and JSON lines.

    Attributes:
        summary: A few words for ``--help``.
        flags: What it takes of the verb's own flags, as ``{"times": True}``.
        one_input: Whether a file of it is about one input, as subtitles are.
    """

    summary: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    one_input: bool = False


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec[OptionsT]):
    """A task.

    Attributes:
        verb: Its command, as in ``seqloom translate``.
        flags: The verb's own flags beside those that every verb has.
        inputs: For each input slot of the data, its modality's name.
        presets: ``tiny``, ``small``, ``base``: partial job files.
        load: Imports its code and gives its builder; the tokenizer is the target's, None where
            ``target_tokenizer`` is False.
        target_tokenizer: Whether the target is tokens.
        job: A commented job file for ``seqloom init TASK``.
        formats: What outputs may be written as beside ``text`` and ``jsonl``, by name, which is also what
            files of it end in; :meth:`seqloom.task.Task.write` writes them.
        baselines: What ``evaluate.baselines`` may name beside ``nearest`` and ``frequent``;
            :meth:`seqloom.task.Task.baseline` makes them.
        demo: Imports and gives the demo: it writes data and a job file into the folder, and returns a
            :class:`Demo`. None where there is no demo.
    """

    verb: str
    flags: type[Options]
    inputs: Mapping[str, str]
    presets: Mapping[str, Mapping[str, Any]]
    load: Callable[[], Callable[[OptionsT, Tokenizer | None], Task]]
    target_tokenizer: bool = True
    job: str = ""
    formats: Mapping[str, FormatSpec] = field(default_factory=dict)
    baselines: Sequence[str] = ()
    demo: Callable[[], Callable[[DemoRequest], Demo]] | None = None


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What a task's demo made.

    Attributes:
        job: The job file to train.
        name: What to register the model as.
        facts: Figures about the data, printed before training (name to value).
        unseen: Inputs to try afterwards, each with its reference.
        flags: Flags of the task's verb for that try.
        next: The three commands to try next; ``{model}`` stands for the model, as ``name/3``.
    """

    job: str
    name: str
    facts: Mapping[str, str]
    unseen: Sequence[tuple[str, str]]
    flags: Mapping[str, Any] = field(default_factory=dict)
    next: Sequence[str] = ()


# Hooks -------------------------------------------------------------------------------------------------


class HookSpecs:
    """The hooks. Those that name parts are pure; those that observe return nothing."""

    @hookspec
    def seqloom_modalities(self) -> Sequence[ModalitySpec[Any]]:  # type: ignore[empty-body]
        """Names the modalities of this plugin."""

    @hookspec
    def seqloom_encoders(self) -> Sequence[EncoderSpec[Any]]:  # type: ignore[empty-body]
        """Names the encoders of this plugin."""

    @hookspec
    def seqloom_attentions(self) -> Sequence[AttentionSpec[Any]]:  # type: ignore[empty-body]
        """Names the attentions of this plugin."""

    @hookspec
    def seqloom_decoders(self) -> Sequence[DecoderSpec[Any]]:  # type: ignore[empty-body]
        """Names the decoders of this plugin."""

    @hookspec
    def seqloom_heads(self) -> Sequence[HeadSpec[Any]]:  # type: ignore[empty-body]
        """Names the heads of this plugin."""

    @hookspec
    def seqloom_tasks(self) -> Sequence[TaskSpec[Any]]:  # type: ignore[empty-body]
        """Names the tasks of this plugin."""

    @hookspec
    def seqloom_tokenizers(self) -> Sequence[TokenizerSpec[Any]]:  # type: ignore[empty-body]
        """Names the tokenizers of this plugin."""

    @hookspec
    def seqloom_metrics(self) -> Sequence[MetricSpec[Any]]:  # type: ignore[empty-body]
        """Names the metrics of this plugin."""

    @hookspec
    def seqloom_run_started(self, run: Run) -> None:
        """A run has been entered in the registry and begins."""

    @hookspec
    def seqloom_evaluated(self, run: Run, step: int, scores: Sequence[Score]) -> None:
        """A run has been evaluated after ``step`` optimiser steps."""

    @hookspec
    def seqloom_run_ended(self, run: Run, error: BaseException | None) -> None:
        """A run has ended; ``error`` is None where it ended well."""
