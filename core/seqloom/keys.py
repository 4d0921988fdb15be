"""Which keys may be set, and what is wrong with what somebody set? pydantic's models in our words."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from seqloom.errors import UsageError

ModelT = TypeVar("ModelT", bound=BaseModel)

_UNIONS = (Union, types.UnionType)
_TYPES: Mapping[Any, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true | false",
    type(None): "null",
}
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_EXPECTED = {
    "bool": "true or false",
    "dict": "a mapping",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "a mapping",
    "string": "text",
    "tuple": "a list",
}
"""What is expected, by the first word of pydantic's type and parsing errors."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key that may be set.

    Attributes:
        name: With dots between sections, as ``--set`` takes it.
        type: What it takes, for people.
        default: What it is where nobody sets it; ``required`` where somebody must, ``required there``
            where its section may be left out or written in another way.
        description: What it does.
    """

    name: str
    type: str
    default: str
    description: str


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[Key]:
    """All keys of a model and of its sections, in the order they are declared in."""
    for name, field in model.model_fields.items():
        sections = [section for section in models_in(field.annotation) if not _takes_anything(section)]
        others = [kind for kind in _alternatives(field.annotation) if kind not in sections]
        if others:
            yield Key(
                name=prefix + name,
                type=_type_text(Union[tuple(others)], field.metadata),  # noqa: UP007 - made of a list
                default=_default_text(field),
                description=field.description or "",
            )
        for section in sections:
            for key in keys_of(section, f"{prefix}{name}."):
                there = others and key.default == "required"
                yield replace(key, default="required there") if there else key
        for section in _items_in(field.annotation):
            for key in keys_of(section, f"{prefix}{name}.*."):
                yield replace(key, default="required there") if key.default == "required" else key


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this annotation may be; those inside lists and mappings are not."""
    kinds = _alternatives(annotation)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _items_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that the items of a list of this annotation are."""
    lists = [kind for kind in _alternatives(annotation) if get_origin(kind) in (list, tuple)]
    models = [model for kind in lists for model in models_in(get_args(kind)[0])]
    return [model for model in models if not _takes_anything(model)]


def _alternatives(annotation: Any) -> list[Any]:
    """What a union is one of, also of unions within it; anything else is its only alternative."""
    if get_origin(annotation) is Annotated and models_in(get_args(annotation)[0]):
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        return [kind for part in get_args(annotation) for kind in _alternatives(part)]
    return [annotation]


def known_keys(model: type[BaseModel], data: Any, path: tuple[int | str, ...]) -> list[str]:
    """The keys of the section at ``path`` of ``data``; none where it is not a section of its own."""
    for part in path:
        data = data[part]
        if isinstance(part, int):
            continue  # the model is that of the list's items already
        field = model.model_fields.get(part)
        models = [*models_in(field.annotation), *_items_in(field.annotation)] if field else []
        choices = [choice for choice in models if _may_be(choice, data)]
        if not choices:
            return []
        model = choices[0]
    return list(model.model_fields)


def explain(detail: ErrorDetails) -> str:
    """One of pydantic's errors in our words."""
    kind, message, found = detail["type"], detail["msg"], shown(detail["input"])
    if kind == "missing":
        return "is missing"
    if kind == "union_tag_invalid":
        context = detail["ctx"]
        return f"expected a name out of {context['expected_tags']}, found {shown(context['tag'])}"
    if kind.endswith(("_type", "_parsing", "_from_float")) and kind.split("_")[0] in _EXPECTED:
        return f"expected {_EXPECTED[kind.split('_')[0]]}, found {found}"
    if kind == "union_tag_not_found":
        is_nameless = isinstance(detail["input"], dict)
        return (
            "says no name, which tells what it is" if is_nameless else f"expected a mapping, found {found}"
        )
    if kind in ("value_error", "assertion_error"):
        return message.partition(", ")[2]
    requirement = message.removeprefix("Input should be ")
    if requirement != message:
        return f"expected {requirement}, found {found}"
    return f"{message[0].lower()}{message[1:]}, found {found}"


def invalid_defaults(model: type[BaseModel]) -> Iterator[str]:
    """What is wrong with a model's own defaults, a line for each."""
    try:
        model()
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] != "missing":
                key = ".".join(map(str, detail["loc"]))
                yield f"{key} has a default that it refuses: {explain(detail)}"


def made(model: type[ModelT], values: Mapping[str, Any]) -> ModelT:
    """A model of values that a user gives where there is no file to point into.

    Raises:
        UsageError: They cannot be.
    """
    try:
        return model(**values)
    except ValidationError as error:
        wrong = (": ".join([*map(str, detail["loc"]), explain(detail)]) for detail in error.errors())
        raise UsageError("; ".join(wrong)) from error


def shown(value: Any) -> str:
    """A value as a message tells it: short."""
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _takes_anything(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "allow"


def _may_be(model: type[BaseModel], data: Any) -> bool:
    """Whether data is of this variant of a union; their ``name`` tells them apart."""
    field = model.model_fields.get("name")
    names = get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
    return not names or not isinstance(data, dict) or data.get("name", names[0]) in names


def _type_text(annotation: Any, metadata: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [bound for item in arguments[1:] for bound in getattr(item, "metadata", [item])]
        return _type_text(arguments[0], [*metadata, *inner])
    if origin in _UNIONS:  # bounds are of numbers, wherever the union has them
        return " | ".join(_type_text(part, metadata if part in (int, float) else []) for part in arguments)
    if origin is Literal:
        text = " | ".join(str(choice) for choice in arguments)
    elif origin in (list, tuple):
        text = f"list of {'mappings' if _items_in(annotation) else _type_text(arguments[0], [])}"
    elif origin is dict:
        text = f"mapping to {_type_text(arguments[1], [])}"
    else:
        text = _TYPES.get(annotation) or str(getattr(annotation, "__name__", annotation)).lower()
    bounds = [
        f"{sign} {getattr(item, word)}"
        for item in metadata
        for word, sign in _BOUNDS.items()
        if hasattr(item, word)
    ]
    return " ".join([text, *bounds])


def _default_text(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel):
        default = default.model_dump()
    return default if isinstance(default, str) else json.dumps(default, default=str)
