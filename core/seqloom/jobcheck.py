"""Does a job make sense? Resolves the parts that it names, and tells everything that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seqloom.catalog import Catalog
from seqloom.config import JobConfig, TableSplit, parts_of
from seqloom.errors import ConfigError, PluginError, unknown_name
from seqloom.hooks import TaskSpec
from seqloom.keys import explain, invalid_defaults, known_keys
from seqloom.layers import ANY, KeyPath, Node, keys_in
from seqloom.plugincheck import RESERVED_BASELINES, tag_of

PARTS: Mapping[tuple[str, ...], str] = {
    ("task",): "task",
    ("inputs", ANY): "modality",
    ("tokenizers", ANY): "tokenizer",
    ("model", "encoder"): "encoder",
    ("model", "attention"): "attention",
    ("model", "decoder"): "decoder",
    ("model", "head"): "head",
    ("evaluate", "metrics", ANY): "metric",
}
"""Where a job names parts of the catalog, and their kinds."""

JOINT = "joint"
TARGET = "target"
EVERY_SPLIT = ("train", "valid", "test")
OWN_SCORES = ("ppl", "accuracy")
"""What every evaluation gives without being asked."""

Complaint = tuple[KeyPath, str]
_ModelT = TypeVar("_ModelT", bound=BaseModel)


def resolve(tree: Node, task: TaskSpec[Any], catalog: Catalog) -> JobConfig:
    """The job that a tree of values asks for, each part with all of its options.

    Raises:
        ConfigError: Something is wrong; a line for each thing, with its place.
        PluginError: A part is not there.
    """
    problems = _Problems(tree)
    problems.add(_slot_complaints(tree, task))
    plain = tree.plain()
    for pattern, kind in PARTS.items():
        for path, node in tree.matching(pattern):
            _resolve_part(path, node, kind, catalog, plain, problems)
    config = _validated(JobConfig, plain, (), problems)
    problems.end()
    assert config is not None  # noqa: S101 - else there were problems
    problems.add(_tokenizer_complaints(config, task, catalog))
    problems.add(_model_complaints(config, task, catalog))
    problems.add(_split_complaints(config, task, catalog))
    problems.add(_score_complaints(config, task))
    problems.add(_tag_complaints(config, catalog))
    problems.end()
    return config


class _Problems:
    """What is wrong with a tree of values, in the order found; one complaint of each place."""

    def __init__(self, tree: Node) -> None:
        self.tree = tree
        self.complaints: dict[KeyPath, str] = {}

    def add(self, complaints: Iterable[Complaint]) -> None:
        for path, message in complaints:
            if not any(path[:end] in self.complaints for end in range(1, len(path) + 1)):
                self.complaints[path] = message

    def end(self) -> None:
        """Raises where there are any."""
        if self.complaints:
            lines = [f"{self.tree.origin_of(path)}: {said}" for path, said in self.complaints.items()]
            raise ConfigError("\n".join(lines))


def _about(path: KeyPath, message: str) -> Complaint:
    """A complaint about the value at a path."""
    return path, f"{_dotted(path)}: {message}" if path else message


def _unknown(path: KeyPath, kind: str, known: Iterable[str]) -> Complaint:
    """A complaint about a key that should not be there."""
    return path, _about(path[:-1], unknown_name(kind, str(path[-1]), known))[1]


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))


# Parts -------------------------------------------------------------------------------------------------


def _resolve_part(
    path: KeyPath, node: Node, kind: str, catalog: Catalog, plain: Any, problems: _Problems
) -> None:
    """Puts a part's full options into ``plain``."""
    given = node.plain()
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        return  # JobConfig tells
    name = given.pop("name")
    try:
        spec = catalog.get(kind, name)
    except PluginError as error:
        raise PluginError(f"{problems.tree.origin_of((*path, 'name'))}: {error}") from None
    if options := _validated(spec.options, given, path, problems):
        for key in path[:-1]:
            plain = plain[key]
        plain[path[-1]] = {"name": name, **options.model_dump()}
    elif said := "; option ".join(invalid_defaults(spec.options)):
        label = catalog.provider(kind, name).label
        raise PluginError(f"{label}: {kind} '{name}': option {said}")


def _validated(model: type[_ModelT], data: Any, base: KeyPath, problems: _Problems) -> _ModelT | None:
    data = _named(model, data)
    # As JSON: there a list may be a tuple, and yet a text is no number and no truth.
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems.add(_complaints(error, model, data, base))
        return None


def _named(model: type[BaseModel], data: Any) -> Any:
    """The data, in which each section that says no name has that of its default, which is what is meant."""
    if not isinstance(data, dict):
        return data
    named = dict(data)
    for key, field in model.model_fields.items():
        given, default = data.get(key), field.default
        if not isinstance(given, dict) or not isinstance(default, BaseModel):
            continue
        name = default.model_dump(include={"name"})
        named[key] = {**name, **_named(type(default), given)}
    return named


def _complaints(
    error: ValidationError, model: type[BaseModel], data: Any, base: KeyPath
) -> Iterator[Complaint]:
    """What pydantic found, the errors of one place joined: a value of several types has one for each."""
    found: dict[KeyPath, list[str]] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail, data)
        if detail["type"] == "extra_forbidden":
            yield _unknown((*base, *path), "key", known_keys(model, data, path[:-1]))
        else:
            found.setdefault(path, []).append(explain(detail))
    for path, messages in found.items():
        yield _about((*base, *path), _joined(messages))


def _path(detail: ErrorDetails, data: Any) -> KeyPath:
    """Where an error is in the data; pydantic also names the variants of unions that it tried."""
    path: list[int | str] = []
    for part in detail["loc"]:
        if part in keys_in(data):
            data = data[part]
            path.append(part)
    return (*path, detail["loc"][-1]) if detail["type"] == "missing" else tuple(path)


def _joined(messages: list[str]) -> str:
    if len(messages) == 1:
        return messages[0]
    wanted = [message.removeprefix("expected ").rpartition(", found ")[0] for message in messages]
    return f"expected {' or '.join(wanted)}, found {messages[0].rpartition(', found ')[2]}"


# What only the catalog knows ---------------------------------------------------------------------------


def _slot_complaints(tree: Node, task: TaskSpec[Any]) -> Iterator[Complaint]:
    for path, _ in tree.matching(("inputs", ANY)):
        if path[-1] not in task.inputs:
            yield _unknown(path, "input", task.inputs)


def _tokenizer_complaints(config: JobConfig, task: TaskSpec[Any], catalog: Catalog) -> Iterator[Complaint]:
    slots = [
        slot for slot, part in config.inputs.items() if catalog.get("modality", part.name).takes_tokenizer
    ]
    slots += [TARGET] if task.target_tokenizer else []
    given = set(config.tokenizers)
    for key in sorted(given - {*slots, JOINT}):
        yield _unknown(("tokenizers", key), "slot of tokens", [*slots, JOINT])
    if JOINT in given:
        if not slots:
            yield _about(("tokenizers", JOINT), f"task {task.name} has no tokens")
        for slot in sorted(given & set(slots)):
            yield _about(("tokenizers", slot), "`joint` serves all slots already; give one or the other")
    elif missing := [slot for slot in slots if slot not in given]:
        yield _about(
            ("tokenizers",), f"none for {', '.join(missing)}; give one for each, or one for all as `joint`"
        )


def _model_complaints(config: JobConfig, task: TaskSpec[Any], catalog: Catalog) -> Iterator[Complaint]:
    model = config.model
    takes_decoder = catalog.get("head", model.head.name).takes_decoder
    if takes_decoder and not task.target_tokenizer:
        yield _about(
            ("model", "head"), f"{model.head.name} writes tokens, and {task.name} has no such target"
        )
    elif takes_decoder and model.decoder is None:
        yield _about(("model", "decoder"), f"is missing; head {model.head.name} needs one")
    elif not takes_decoder and model.decoder is not None:
        yield _about(("model", "decoder"), f"head {model.head.name} takes none; set it to null")
    if model.attention is None:
        return
    if model.decoder is None or not catalog.get("decoder", model.decoder.name).takes_attention:
        name = model.decoder.name if model.decoder else "null"
        yield _about(("model", "attention"), f"decoder {name} takes none; set it to null")


def _split_complaints(config: JobConfig, task: TaskSpec[Any], catalog: Catalog) -> Iterator[Complaint]:
    specs = {slot: catalog.get("modality", config.inputs[slot].name) for slot in task.inputs}
    may_be_several = {slot: bool(spec.fragment) for slot, spec in specs.items()} | {TARGET: True}
    for name in EVERY_SPLIT:
        split = getattr(config.data, name)
        if split is None:
            continue
        given = split if isinstance(split, tuple) else (split,)
        for index, (part, short) in enumerate(zip(parts_of(split), given, strict=True)):
            path: KeyPath = ("data", name, index) if isinstance(split, tuple) else ("data", name)
            if part.weight != 1 and name != "train":
                yield _about(
                    (*path, "weight"), "only data.train is weighed: scores are of each example once"
                )
            if not isinstance(short, dict):
                path = (*path, "columns" if isinstance(part, TableSplit) else "files")
            yield from _slots_of_part(part.slots, path, may_be_several)


def _slots_of_part(
    given: Mapping[str, Sequence[int | str]], path: KeyPath, may_be_several: Mapping[str, bool]
) -> Iterator[Complaint]:
    """What is wrong with a part's slots; of all that there are, whether each may have several columns."""
    for slot in given:
        if slot not in may_be_several:
            yield _unknown((*path, slot), "slot", may_be_several)
    for slot, several in may_be_several.items():
        if slot not in given:
            yield _about((*path, slot), "is missing")
        elif not given[slot]:
            yield _about((*path, slot), "an empty list names nothing")
        elif len(given[slot]) > 1 and not several:
            names = " and ".join(f"`{name}`" for name, may in may_be_several.items() if may)
            yield _about((*path, slot), f"only {names} may have several")


def _score_complaints(config: JobConfig, task: TaskSpec[Any]) -> Iterator[Complaint]:
    names = [part.name for part in config.evaluate.metrics]
    for key, given in (("metrics", names), ("baselines", config.evaluate.baselines)):
        for index, name in enumerate(given):
            if name in given[:index]:
                yield _about(("evaluate", key, index), f"{name} is there twice")
    known = [*RESERVED_BASELINES, *task.baselines]
    for index, name in enumerate(config.evaluate.baselines):
        if name not in known and tag_of(name) is None:
            yield _about(("evaluate", "baselines", index), unknown_name("baseline", name, known))
    if config.evaluate.best not in {*OWN_SCORES, *names}:
        message = unknown_name("score", config.evaluate.best, [*OWN_SCORES, *names])
        yield _about(("evaluate", "best"), f"{message} Others must be listed in evaluate.metrics.")


def _tag_complaints(config: JobConfig, catalog: Catalog) -> Iterator[Complaint]:
    """Tags to score, to answer and to see inputs together by, whatever is evaluated, need to be there."""
    if (tag := config.evaluate.by) is not None:
        for said in _without_tag(tag, config, ("valid", "test")):
            yield _about(("evaluate", "by"), said)
    for index, name in enumerate(config.evaluate.baselines):
        for said in () if (tag := tag_of(name)) is None else _without_tag(tag, config, EVERY_SPLIT):
            yield _about(("evaluate", "baselines", index), said)
    for slot, part in config.inputs.items():
        spec = catalog.get("modality", part.name)
        if spec.pools_by is None or (tag := spec.pools_by(spec.options(**part.options))) is None:
            continue
        for said in _without_tag(tag, config, EVERY_SPLIT):
            yield _about(("inputs", slot), f"takes the examples of each {tag} together; {said}")


def _without_tag(tag: str, config: JobConfig, splits: Sequence[str]) -> Iterator[str]:
    """What is said of each part of the splits that lacks a tag."""
    for name in splits:
        split = getattr(config.data, name)
        for part in parts_of(split) if split is not None else ():
            tags = part.tags if isinstance(part, TableSplit) else {}
            if tag not in tags:
                there = f"the tags {', '.join(tags)}" if tags else "no tags"
                yield f"'{tag}': data.{name} has {there}; name its column there"
