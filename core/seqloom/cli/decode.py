"""The verbs of the installed tasks (``seqloom translate``), and ``seqloom evaluate``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.output import State, print_json
from seqloom.cli.session import STDIN, converse
from seqloom.cli.writing import FORMATS, Destination, format_choice
from seqloom.errors import UsageError
from seqloom.hooks import Options, TaskSpec
from seqloom.keys import made

if TYPE_CHECKING:
    from seqloom.catalog import Catalog
    from seqloom.data.manifest import Located
    from seqloom.predictor import Predictor
    from seqloom.site import Site
    from seqloom.task import Prediction

ARGUMENTS = "<arguments>"


ModelName = Annotated[str, typer.Argument(help="name, name/3, name@alias, runs:/ID, or a model folder.")]
Beam = Annotated[int | None, typer.Option(min=1, help="Hypotheses kept; 1 is greedy.")]
LengthPenalty = Annotated[float | None, typer.Option(min=0, help="Alpha of Wu et al. 2016.")]
CtcShare = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of CTC in scores, for models that have it.")
]
BatchSize = Annotated[int | None, typer.Option(min=1, help="Inputs decoded together.")]
DeviceName = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
DtypeName = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]


@dataclass(frozen=True)
class Request:
    """What the user of a verb asks for."""

    model: str
    inputs: list[str]
    file: Path | None
    output: Destination
    device: str
    dtype: str
    decode: dict[str, Any]
    flags: Options


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the verb of each installed task, and ``evaluate``."""
    for spec in catalog.specs("task"):
        app.command(spec.verb, help=f"{spec.summary}.")(_verb(spec))
    app.command()(evaluate)


def _verb(spec: TaskSpec[Any]) -> Callable[..., None]:
    """A function that typer can read: the flags of every verb, then those of this one."""
    own = set(spec.flags.model_fields)

    def verb(ctx: typer.Context, **given: Any) -> None:
        flags = made(spec.flags, {name: given.pop(name) for name in own})
        keys = ("beam", "n_best", "length_penalty", "ctc", "batch_size")
        decode = _said(**{name: given[name] for name in keys})
        request = Request(
            model=given["model"],
            inputs=given["inputs"] or [],
            file=given["input_file"],
            output=Destination.of(given["output"], given["format"].value, spec),
            device=given["device"],
            dtype=given["dtype"],
            decode=decode,
            flags=flags,
        )
        _run(ctx.obj, spec, request)

    kind = inspect.Parameter.KEYWORD_ONLY
    shared = list(inspect.signature(_every_verb).parameters.values())
    forms, told = format_choice(spec)
    form = inspect.Parameter(
        "format", kind, default=forms("text"), annotation=Annotated[forms, typer.Option(help=told)]
    )
    special = [
        inspect.Parameter(
            name,
            kind,
            default=field.default,
            annotation=Annotated[
                field.annotation,
                typer.Option(f"--{name.replace('_', '-')}", help=field.description),
            ],
        )
        for name, field in spec.flags.model_fields.items()
    ]
    parameters = [shared[0], *(p.replace(kind=kind) for p in shared[1:]), form, *special]
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in parameters}
    return verb


def _said(**options: Any) -> dict[str, Any]:
    """The options that were given; a model knows what it takes for the others."""
    return {name: value for name, value in options.items() if value is not None}


def _every_verb(  # noqa: PLR0913, PLR0917 - one parameter a flag
    ctx: typer.Context,
    model: ModelName,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Texts; or files, folders and patterns, as the task has it. None reads stdin."),
    ] = None,
    input_file: Annotated[
        Path | None, typer.Option("--input", "-i", help="A file with an input a line.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file; or a folder, as out/, for a file of each input file."),
    ] = None,
    beam: Beam = None,
    n_best: Annotated[int | None, typer.Option(min=1, help="Outputs of each input.")] = None,
    length_penalty: LengthPenalty = None,
    ctc: CtcShare = None,
    batch_size: BatchSize = None,
    device: DeviceName = "auto",
    dtype: DtypeName = "auto",
) -> None:
    """The flags of every verb; never called."""


# Resolves the annotations once, as the generated functions carry them and not their text.
_every_verb.__signature__ = inspect.signature(_every_verb, eval_str=True)  # type: ignore[attr-defined]


def _run(state: State, spec: TaskSpec[Any], request: Request) -> None:
    from seqloom.cli.bars import PieceBars, say  # noqa: PLC0415
    from seqloom.cli.site import open_site  # noqa: PLC0415
    from seqloom.jobs import decode_job, journals  # noqa: PLC0415
    from seqloom.session import OpenSession  # noqa: PLC0415
    from seqloom.stream import decode_stream  # noqa: PLC0415

    if request.inputs and request.file:
        raise UsageError("give inputs or --input FILE, not both")
    with PieceBars() as bars, open_site(state) as site:
        predictor = _opened_model(request.model, site, device=request.device, dtype=request.dtype)
        task = predictor.job.config.task.name
        if task != spec.name:
            raise UsageError(f"{request.model} is a model for {task}, not for {spec.name}")
        kit, output = predictor.kit, request.output
        decode = predictor.decode_config(**request.decode)
        flags = request.flags.model_copy(update=dict(output.form.flags))
        how = predictor.decoding(decode, flags)
        predictor.model.head.check(how.options)
        kept_pieces = journals(predictor, site, how)
        how = replace(how, keep=kept_pieces.open, tell=bars)
        session = None if request.inputs or request.file else kit.task.session()
        located = [] if session else _inputs(request, predictor, spec.verb)
        located = output.admit(located, kit.slots)
        kept: list[Prediction] = []

        def write(predictions: Iterable[Prediction]) -> list[Path]:
            if request.flags != spec.flags():
                predictions = _kept(predictions, kept)
            return output.write(bars.aside(predictions), kit.task, kit.slots)

        if session is not None:
            write(converse(OpenSession(session, how)))
        elif request.file is not None:
            decode_job(predictor, site, request.file, located, how, write, keep=not output.keeps)
        else:
            write(decode_stream(located, how))
        kept_pieces.discard()
        for file in kit.task.deliver(kept, request.flags, kit.modalities):
            say(f"wrote {file}")


def _kept(predictions: Iterable[Prediction], kept: list[Prediction]) -> Iterator[Prediction]:
    """The predictions; each is added to those that are kept."""
    for prediction in predictions:
        kept.append(prediction)
        yield prediction


def _opened_model(name: str, site: Site, *, device: str, dtype: str = "auto") -> Predictor:
    """A model to use in this process, which is ours: its memory is handled as the model's job says."""
    from seqloom.allocator import tuned  # noqa: PLC0415
    from seqloom.site import open_model  # noqa: PLC0415

    predictor = open_model(name, site, device=device, dtype=dtype)
    predictor.device = tuned(predictor.device, predictor.job.config.allocator)
    return predictor


# Inputs ------------------------------------------------------------------------------------------------


def _inputs(request: Request, predictor: Predictor, verb: str) -> Iterator[Located]:
    """What is given: a file's lines, arguments, or what comes by stdin."""
    from seqloom.data.files import read_lines  # noqa: PLC0415

    if request.file is not None:
        return _located(read_lines(request.file), predictor, request.file)
    if request.inputs:
        return _located(request.inputs, predictor, ARGUMENTS)
    return _located(_stdin_lines(verb), predictor, STDIN)


def _stdin_lines(verb: str) -> Iterator[str]:
    from seqloom.data.files import decoded_lines  # noqa: PLC0415

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"nothing to {verb}: give inputs, --input FILE, or a pipe")
    yield from decoded_lines(sys.stdin.buffer, STDIN)


def _located(given: Iterable[str], predictor: Predictor, place: Path | str) -> Iterator[Located]:
    from seqloom.inputs import located_inputs  # noqa: PLC0415

    slots = predictor.kit.slots
    if len(slots) > 1:
        raise UsageError(f"this model takes {', '.join(slots)} together; use it from Python")
    return located_inputs(given, slots, place)


# Evaluation --------------------------------------------------------------------------------------------


def evaluate(  # noqa: PLR0913, PLR0917 - one parameter a flag
    ctx: typer.Context,
    model: ModelName,
    split: Annotated[str, typer.Option(help="valid or test.")] = "test",
    job: Annotated[
        Path | None, typer.Option(help="A job file whose data to take instead of the model's own.")
    ] = None,
    beam: Beam = None,
    length_penalty: LengthPenalty = None,
    ctc: CtcShare = None,
    batch_size: BatchSize = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the model's texts.")
    ] = None,
    device: DeviceName = "auto",
    dtype: DtypeName = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Score a model, and the baselines of its job, on data.valid or data.test."""
    from seqloom.cli.scores import print_evaluation  # noqa: PLC0415
    from seqloom.cli.site import open_site  # noqa: PLC0415
    from seqloom.jobfile import load_job  # noqa: PLC0415
    from seqloom.jobs import evaluate_job  # noqa: PLC0415

    if split not in ("valid", "test"):
        raise UsageError(f"--split takes valid or test, not '{split}'")
    state: State = ctx.obj
    with open_site(state) as site:
        predictor = _opened_model(model, site, device=device, dtype=dtype)
        other = None if job is None else load_job(job, site.catalog)
        said = _said(beam=beam, length_penalty=length_penalty, ctc=ctc, batch_size=batch_size)
        decode = predictor.decode_config(**said)
        text = None if output is None else Destination(output, None, "text", FORMATS["text"])

        def write(predictions: Iterable[Prediction]) -> list[Path]:
            return text.write(predictions, predictor.kit.task, predictor.kit.slots) if text else []

        _, scores, _ = evaluate_job(predictor, site, split, decode, other, write)
    if as_json:
        print_json([score.__dict__ for score in scores])
        return
    print_evaluation(scores, (other or predictor.job).config.evaluate.baselines)
