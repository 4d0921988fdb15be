"""What did the user ask for? The frozen form of a job file; ``jobfile`` reads one into it.

Every key acts: a test changes each and sees something change, or a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from seqloom.hooks import Options

PositiveInt = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Allocator = Literal["keep", "system"]


class Part(BaseModel):
    """A part of the model by its name in the catalog, with its options beside it.

    ``transformer`` is short for ``{name: transformer}``.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(description="The part's name; `seqloom plugins list` tells which there are.")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """The options as the job gives them."""
        return dict(self.model_extra or {})


# Data --------------------------------------------------------------------------------------------------


Weight = Annotated[float, Field(gt=0, le=1000)]
WEIGHT = "How often these examples occur in a pass over data.train; of 0.25, each pass has another quarter."
TARGETS = (
    "How many of an example's targets are taken, where it has several: the first so many; null for all."
)


class TableSplit(Options):
    """Examples in the rows of one file, or of several."""

    file: str = Field(
        description="A .tsv, .csv or .jsonl file, plain or .gz, a .parquet or .tar file, or a folder with "
        "Kaldi's wav.scp, relative to data.root; or a pattern, as part-*.tsv, for all that it matches."
    )
    columns: dict[str, int | str | list[int | str]] = Field(
        description="Each slot's column: its name (the first line of TSV and CSV is then a header), "
        "or its number from 0 (the file then has no header). Of target, several columns may be listed; of "
        "files, those that say which part of one is meant: [path, start, end]."
    )
    tags: dict[str, int | str] = Field(
        {},
        description="Columns that say what kind of example each is, as {speaker: spk_id}: see evaluate.by.",
    )
    targets: PositiveInt | None = Field(None, description=TARGETS)
    weight: Weight = Field(1.0, description=WEIGHT)

    @property
    def slots(self) -> Mapping[str, tuple[int | str, ...]]:
        """The columns of each slot."""
        return {
            slot: tuple(given) if isinstance(given, list) else (given,)
            for slot, given in self.columns.items()
        }


class ParallelSplit(Options):
    """Examples in the lines of a file for each slot; short for it are its files alone."""

    files: dict[str, str | list[str]] = Field(
        description="Each slot's text file, plain or .gz, with an example a line, or a pattern; "
        "of target, several may be listed."
    )
    targets: PositiveInt | None = Field(None, description=TARGETS)
    weight: Weight = Field(1.0, description=WEIGHT)

    @property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """The files of each slot."""
        return {
            slot: tuple(given) if isinstance(given, list) else (given,)
            for slot, given in self.files.items()
        }


def _kind_of_part(value: Any) -> str:
    if isinstance(value, TableSplit) or (isinstance(value, dict) and "file" in value):
        return "table"
    is_long = isinstance(value, dict) and isinstance(value.get("files"), dict)
    return "long" if is_long or isinstance(value, ParallelSplit) else "parallel"


def _kind_of_split(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else _kind_of_part(value)


def _unweighed(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("weight"), int | float):
        raise ValueError("files with a weight go into `files`: {files: {source: …}, weight: 2}")
    return value


Table = Annotated[TableSplit, Tag("table")]
Files = Annotated[ParallelSplit, Tag("long")]
Parallel = Annotated[dict[str, str | list[str]], BeforeValidator(_unweighed), Tag("parallel")]

PartConfig = Annotated[Table | Files | Parallel, Discriminator(_kind_of_part)]
"""Either a table, or for each slot a text file (plain or .gz) with an example a line, or a pattern."""

SplitConfig = Annotated[
    Table | Files | Parallel | Annotated[tuple[PartConfig, ...], Tag("list"), Field(min_length=1)],
    Discriminator(_kind_of_split),
]
"""Files, or a list of such, read one after another."""


def parts_of(split: SplitConfig) -> list[TableSplit | ParallelSplit]:
    """The parts of a split, each in its long form."""
    parts = split if isinstance(split, tuple) else (split,)
    return [ParallelSplit(files=part) if isinstance(part, dict) else part for part in parts]


class DataConfig(Options):
    """Where the examples are."""

    root: str = Field(
        ".",
        description="Folder that files are relative to, itself relative to the job file; "
        "nothing outside it is read. ${NAME} stands for an environment variable.",
    )
    train: SplitConfig = Field(description="Examples to learn from.")
    valid: SplitConfig = Field(description="Examples to tune by.")
    test: SplitConfig | None = Field(None, description="Examples for the last figure only.")
    max_length: PositiveInt | None = Field(
        None,
        description="Training examples with more positions than this in any slot are left out, "
        "and counted.",
    )
    on_bad_example: Literal["error", "skip"] = Field(
        "error",
        description="What becomes of a training example that cannot be used: an error, or it is skipped, "
        "and recorded in the run's skipped.jsonl.",
    )
    bad_examples: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of the training examples that may be skipped; more are an error.",
    )
    workers: int = Field(
        0,
        ge=0,
        description="Processes that make batches ahead of the steps, for inputs that are slow to vary and "
        "to pad; 0 makes them as needed, which for text is fast enough.",
    )


# Model -------------------------------------------------------------------------------------------------


class ModelConfig(Options):
    """What the model is made of."""

    width: PositiveInt = Field(256, description="D, the width of the model.")
    encoder: Part = Field(description="What reads the inputs.")
    attention: Part | None = Field(
        None, description="What a recurrent decoder looks at the memory with; null for none."
    )
    decoder: Part | None = Field(None, description="What writes the target.")
    head: Part = Field(Part(name="sequence"), description="What makes a loss and predictions of a memory.")
    tie_output: bool = Field(
        True, description="Whether the output layer shares the target embedding's table."
    )


# Training ----------------------------------------------------------------------------------------------


class AdamConfig(Options):
    """Adam (Kingma and Ba 2015), or with decoupled weight decay AdamW (Loshchilov and Hutter 2019)."""

    name: Literal["adamw", "adam"] = Field("adamw", description="adamw, adam or sgd.")
    betas: tuple[Probability, Probability] = Field(
        (0.9, 0.98), description="Decay of the running means of gradient and square."
    )
    epsilon: float = Field(1e-9, gt=0, description="Added to the denominator.")
    weight_decay: float = Field(0.0, ge=0, description="Of matrices; not of biases and norms.")


class SgdConfig(Options):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = Field("sgd", description="adamw, adam or sgd.")
    momentum: Probability = Field(0.0, description="Share of the last update kept.")
    weight_decay: float = Field(0.0, ge=0, description="Of matrices; not of biases and norms.")


class DecayConfig(Options):
    """A learning rate by the step: linear warm-up to ``train.learning_rate``, then the named decay."""

    name: Literal["inverse_sqrt", "cosine", "constant"] = Field(
        "inverse_sqrt",
        description="What follows the warm-up; cosine reaches 0 at train.steps, plateau falls where "
        "evaluate.best stands still.",
    )
    warmup: int = Field(400, ge=0, description="Steps of linear warm-up.")


class PlateauConfig(Options):
    """A learning rate by the scores: it falls each time that ``evaluate.best`` has stood still."""

    name: Literal["plateau"] = Field("plateau", description="inverse_sqrt, cosine, constant or plateau.")
    warmup: int = Field(400, ge=0, description="Steps of linear warm-up.")
    factor: float = Field(0.5, gt=0, lt=1, description="What the rate is multiplied by when it falls.")
    patience: PositiveInt = Field(
        2, description="Evaluations without a better score before the rate falls, and falls again."
    )


class ParametersConfig(Options):
    """How some of the model's parameters are trained."""

    match: str = Field(
        min_length=1, description="Names of parameters, * for any text: encoders.*, *.embedding.*"
    )
    learning_rate_factor: float = Field(
        1.0, gt=0, description="What the learning rate is multiplied by for these."
    )
    weight_decay: float | None = Field(
        None, ge=0, description="Of all of these, biases and norms too; null for the optimiser's."
    )
    freeze: bool = Field(False, description="Whether these stay as they begin.")

    @model_validator(mode="after")
    def _check(self) -> ParametersConfig:
        if self.freeze and (self.learning_rate_factor != 1 or self.weight_decay is not None):
            raise ValueError(f"'{self.match}' is to be frozen: it takes no rate and no decay")
        return self


class TrainConfig(Options):
    """How the model learns."""

    steps: PositiveInt = Field(10_000, description="Optimiser steps at most.")
    minutes: float | None = Field(
        None, gt=0, description="Training time at most, evaluation not counted; null for no limit."
    )
    batch_elements: PositiveInt = Field(
        4096, description="Positions of a batch with padding: its examples times their longest slot."
    )
    accumulate: PositiveInt = Field(1, description="Batches of one optimiser step.")
    seed: int = Field(1, ge=0, lt=2**63, description="Of weights, data order, dropout and augmentation.")
    learning_rate: float = Field(1e-3, gt=0, description="The schedule's peak.")
    optimizer: Annotated[AdamConfig | SgdConfig, Field(discriminator="name")] = Field(
        AdamConfig(), description="What turns gradients into updates."
    )
    schedule: Annotated[DecayConfig | PlateauConfig, Field(discriminator="name")] = Field(
        DecayConfig(), description="How the learning rate moves."
    )
    parameters: tuple[ParametersConfig, ...] = Field(
        (), description="Parameters that are trained otherwise; the first that matches a name holds."
    )
    ema: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decay of an exponential moving average of the weights, which is then what is judged "
        "and becomes the model: 0.999; null for none.",
    )
    clip_norm: float | None = Field(
        1.0, gt=0, description="Longest gradient (of the mean loss) let through; null for any."
    )
    compile: bool = Field(
        False,
        description="Whether torch.compile writes kernels for the model: minutes at the start, to be "
        "won back in the steps.",
    )
    log_every: PositiveInt = Field(50, description="Steps between lines of metrics.jsonl.")
    tensorboard: bool = Field(
        False,
        description="Whether metrics also go to TensorBoard's event files in the run's folder; needs "
        "`pip install 'seqloom[tensorboard]'`.",
    )
    save_every: PositiveInt | None = Field(
        None, description="Steps between checkpoints beside those of each evaluation; null for none."
    )
    keep: PositiveInt = Field(2, description="Newest checkpoints kept, beside the best.")
    average: PositiveInt = Field(
        1,
        description="Newest evaluated checkpoints whose mean is the final model, "
        "where it scores better than the best of them on data.valid.",
    )


class EvaluateConfig(Options):
    """How the model is judged on ``data.valid`` while it learns."""

    every: PositiveInt = Field(500, description="Steps between evaluations.")
    metrics: tuple[Part, ...] = Field((), description="Scores of decoded text, beside ppl and accuracy.")
    best: str = Field("ppl", description="The score that the best checkpoint has and patience watches.")
    patience: PositiveInt | None = Field(
        None, description="Evaluations without a better score before training stops; null for never."
    )
    beam: PositiveInt = Field(1, description="Hypotheses kept while decoding data.valid.")
    baselines: tuple[str, ...] = Field(
        (),
        description="Answers that take no model, scored beside it by `seqloom evaluate`: nearest is the "
        "target of the training example whose features are nearest, frequent the most frequent target, "
        "frequent:speaker that of the tag's value; a task may have more.",
    )
    by: str | None = Field(
        None,
        description="A tag of the examples, as speaker: `seqloom evaluate` then scores each of its values, "
        "too.",
    )


# Decoding ----------------------------------------------------------------------------------------------


class DecodeConfig(Options):
    """How outputs are searched for; saved with a model as its generation_config.json."""

    beam: PositiveInt = Field(5, description="Hypotheses kept; 1 is greedy search.")
    n_best: PositiveInt = Field(1, description="Outputs of each input, at most `beam`.")
    length_penalty: float = Field(
        0.6, ge=0, description="Alpha of Wu et al. 2016, equation 14; 0 ranks by plain log-probability."
    )
    max_length_factor: float = Field(2.0, ge=0, description="Longest output, times the memory's length,")
    max_length_offset: PositiveInt = Field(20, description="plus this many tokens.")
    min_length: int = Field(0, ge=0, description="Shortest output in tokens; not where CTC scores.")
    batch_size: PositiveInt = Field(64, description="Inputs decoded together, at most.")
    batch_elements: PositiveInt = Field(
        40_000,
        description="Positions decoded together, at most, padding counted; a longer input goes alone.",
    )
    attention: bool = Field(False, description="Whether outputs carry their attention weights.")
    emissions: bool = Field(
        False, description="Whether outputs carry what CTC says of each position, for heads that have it."
    )
    ctc: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of CTC in a token's score, for heads that have it: 0 is the decoder alone, 1 is "
        "CTC alone; null for the head's own share of the loss.",
    )

    @model_validator(mode="after")
    def _check(self) -> DecodeConfig:
        if self.n_best > self.beam:
            raise ValueError(f"n_best {self.n_best} asks for more outputs than beam {self.beam} keeps")
        return self


class JobConfig(Options):
    """A whole job."""

    task: Part = Field(description="What to do; `seqloom plugins list` tells which tasks there are.")
    preset: str | None = Field(
        None, description="A set of values of the task's to start from: tiny, small or base."
    )
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="What the trained model is registered as; the job file's name where not given.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to compute.")
    dtype: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="What to compute in: auto is bf16 on a GPU that has it, else fp32."
    )
    allocator: Allocator = Field(
        "keep",
        description="What becomes of memory that tensors free on a CPU: keep keeps it for the next ones "
        "(with glibc: faster, and up to the peak is held), system gives it back.",
    )
    data: DataConfig
    inputs: dict[str, Part] = Field(
        {}, description="Options of each input slot's modality; slots not named take its defaults."
    )
    tokenizers: dict[str, Part] = Field(
        {},
        description="A tokenizer for each slot of tokens, or one for all as `joint`: "
        "it also ties their embeddings.",
    )
    model: ModelConfig
    train: TrainConfig = Field(TrainConfig())
    evaluate: EvaluateConfig = Field(EvaluateConfig())
    decode: DecodeConfig = Field(DecodeConfig())
