"""What does each layer of a job say, and where? YAML in; values that remember their origins out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from seqloom.errors import ConfigError

KeyPath = tuple[int | str, ...]
"""Where a value is: keys of mappings and positions in lists, from the top down."""

ANY = "*"
"""Stands for every key in a pattern of paths."""


@dataclass(frozen=True)
class Node:
    """A value and where it came from.

    Attributes:
        value: A mapping of text to nodes, a list of nodes, or a plain value.
        origin: ``job.yaml:12``, ``preset tiny``, ``--set`` or ``default``.
    """

    value: Any
    origin: str

    @classmethod
    def of(cls, value: Any, origin: str) -> Node:
        """Plain values as nodes of one origin."""
        if isinstance(value, Mapping):
            return cls({str(key): cls.of(child, origin) for key, child in value.items()}, origin)
        if isinstance(value, list | tuple):
            return cls([cls.of(child, origin) for child in value], origin)
        return cls(value, origin)

    def plain(self) -> Any:
        """The values without their origins."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def at(self, path: KeyPath) -> Node | None:
        """The node at a path, None where there is none."""
        node: Node | None = self
        for key in path:
            node = node._child(key) if node else None
        return node

    def origin_of(self, path: KeyPath) -> str:
        """The origin of the value at a path, or of the nearest one above it."""
        found = (self.at(path[:end]) for end in range(len(path), 0, -1))
        return next((node.origin for node in found if node), self.origin)

    def matching(self, pattern: tuple[str, ...], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
        """All nodes whose paths match a pattern, with their paths."""
        if not pattern:
            yield path, self
            return
        for key in keys_in(self.value) if pattern[0] == ANY else [pattern[0]]:
            if child := self._child(key):
                yield from child.matching(pattern[1:], (*path, key))

    def _child(self, key: int | str) -> Node | None:
        return self.value[key] if key in keys_in(self.value) else None


def keys_in(value: Any) -> Collection[int | str]:
    """The keys of a mapping, the positions of a list, nothing of a plain value."""
    if isinstance(value, dict):
        return value.keys()
    return range(len(value)) if isinstance(value, list) else ()


def merge(lower: Node, upper: Node, path: KeyPath = ()) -> Node:
    """What two layers say together; the upper one wins.

    Mappings merge key by key. Lists and plain values replace. So does a part that names another than
    the lower layer does (whose options mean nothing to it), and so does a section that is written in
    its other form: joint tokenizers over those of single slots, a table over a file for each slot.
    """
    if not isinstance(lower.value, dict) or not isinstance(upper.value, dict):
        return upper
    if (path and _differ(lower, upper, "name")) or _is_other_form(lower, upper, path):
        return upper
    merged = dict(lower.value)
    for key, child in upper.value.items():
        merged[key] = merge(merged[key], child, (*path, key)) if key in merged else child
    return Node(merged, upper.origin)


def _differ(lower: Node, upper: Node, key: str) -> bool:
    both = lower.at((key,)), upper.at((key,))
    return bool(both[0] and both[1] and both[0].plain() != both[1].plain())


def _is_other_form(lower: Node, upper: Node, path: KeyPath) -> bool:
    if not upper.value:
        return False
    if path == ("tokenizers",):
        return ("joint" in lower.value) != ("joint" in upper.value)
    is_of_any_form = upper.value.keys() <= {"weight", "targets"}
    return path in _SPLITS and not is_of_any_form and _form(lower) != _form(upper)


def _form(split: Node) -> str:
    """How files are written: the columns of a table, a file for each slot, or such files in ``files``."""
    if not {"file", "columns"}.isdisjoint(split.value):
        return "table"
    files = split.value.get("files")
    return "files" if files and isinstance(files.value, dict) else "parallel"


_SPLITS = {("data", split) for split in ("train", "valid", "test")}


# YAML --------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: ``no`` is a word, ``1e-3`` a number, ``12:30`` a text, 010 not octal."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML declares it

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*) are not allowed here", problem_mark=mark)
        return super().compose_node(parent, index)


_NUMBER_STARTS = list("-+.0123456789")
_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _starts in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9_]*)", _NUMBER_STARTS),
    ("float", r"(?=.*[.eE])[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", _NUMBER_STARTS),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"^(?:{_pattern})$"), _starts)

_TAGS = {_TAG + kind for kind in ("map", "seq", "str", "null", "bool", "int", "float")}


def read_yaml(text: str, source: str, *, lines: bool = True) -> Node:
    """One YAML document.

    Args:
        text: The document.
        source: Its name, for origins and errors.
        lines: Whether origins tell lines.

    Raises:
        ConfigError: It is not YAML, or has duplicate keys, keys that are not text, aliases or tags.
    """
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return _Reader(loader, source, lines).node(root, source) if root else Node(None, source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{_place(source, mark, lines)}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply") from None


@dataclass(frozen=True)
class _Reader:
    """Turns the nodes of YAML into ours."""

    loader: _Loader
    source: str
    lines: bool

    def node(self, found: yaml.Node, origin: str) -> Node:
        if found.tag not in _TAGS:
            raise ConfigError(f"{self._place(found)}: tags ({found.tag}) are not allowed here")
        if isinstance(found, yaml.MappingNode):
            return Node(self._mapping(found), origin)
        if isinstance(found, yaml.SequenceNode):
            return Node([self.node(child, self._place(child)) for child in found.value], origin)
        try:
            return Node(self.loader.construct_object(found), origin)
        except ValueError as error:  # Python reads no number of thousands of digits
            raise ConfigError(f"{self._place(found)}: this value cannot be read: {error}") from error

    def _mapping(self, found: yaml.MappingNode) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for key_node, child in found.value:
            place = self._place(key_node)
            key = self.node(key_node, place).value
            if not isinstance(key, str):
                shown = "of several parts" if isinstance(key, dict | list) else repr(key_node.value)
                raise ConfigError(f"{place}: the key {shown} is not a text; put it in quotes")
            if key in children:
                raise ConfigError(f"{place}: the key '{key}' is there already: {children[key].origin}")
            children[key] = self.node(child, place)
        return children

    def _place(self, found: yaml.Node) -> str:
        return _place(self.source, found.start_mark, self.lines)


def _place(source: str, mark: yaml.Mark | None, lines: bool) -> str:
    return f"{source}:{mark.line + 1}" if mark and lines else source
