"""How does a job file become a job? Layers are merged, parts resolved, and every value keeps its origin.

``--set`` goes over the file, the file over the task's preset, the preset over defaults.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.catalog import Catalog
from seqloom.config import JobConfig, ModelConfig, TrainConfig
from seqloom.errors import ConfigError, PluginError, UsageError, unknown_name
from seqloom.hooks import TaskSpec
from seqloom.jobcheck import PARTS, resolve
from seqloom.layers import ANY, KeyPath, Node, merge, read_yaml

DEFAULT = "default"
SET = "--set"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job, resolved and checked.

    Attributes:
        config: All values; every part carries all of its options.
        origins: Where each value came from, by its key with dots: ``default``, ``preset tiny``,
            ``job.yaml:12`` or ``--set``.
        path: The job file; ``data.root`` is relative to its folder.
    """

    config: JobConfig
    origins: Mapping[str, str]
    path: Path

    @property
    def root(self) -> Path:
        """The folder of the data.

        Raises:
            ConfigError: ``data.root`` names an environment variable that is not set.
        """
        try:
            return self.path.parent / _substituted(self.config.data.root)
        except ConfigError as error:
            raise ConfigError(f"{self.origins['data.root']}: data.root: {error}") from None


def load_job(path: Path, catalog: Catalog, overrides: Sequence[str] = ()) -> Job:
    """Reads a job file.

    Args:
        path: A YAML file.
        catalog: Knows the parts that the job names.
        overrides: What ``--set`` gives: ``train.steps=500``, the value in YAML.

    Raises:
        ConfigError: The file cannot be read, or asks for what is not there; tells every such line.
        PluginError: It names a part that no plugin offers.
        UsageError: An override is not ``key=value``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: byte {error.start} is {error.reason}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    file = read_yaml(text, str(path))
    if not isinstance(file.value, dict):
        raise ConfigError(f"{path}: not a mapping of keys to values; `seqloom init TASK` writes a job file")
    layers = [_expanded(layer) for layer in (file, *map(_override, overrides))]
    written = functools.reduce(merge, layers)
    task = _task(written, catalog)
    below = [_defaults(path, task), *_preset(written, task)]
    tree = Node(functools.reduce(merge, [*below, *layers]).value, str(path))
    job = _job(tree, task, catalog, path)
    _ = job.root  # a variable that is not set is better told now than after the model is built
    return job


def job_from_dict(data: Mapping[str, Any], catalog: Catalog, base: Path) -> Job:
    """A job from its own ``config.model_dump(mode="json")``, as runs and models save it.

    Everything is in it already: no preset is applied, and ``data.root`` is resolved on first use.

    Args:
        data: The saved configuration.
        catalog: Knows the parts that it names.
        base: The folder that it was saved in, which ``data.root`` is relative to.

    Raises:
        ConfigError: This version or its plugins cannot read it.
    """
    path = base / "config.json"
    tree = _expanded(Node.of(data, str(path)))
    return _job(tree, _task(tree, catalog), catalog, path)


def preset_complaints(task: TaskSpec[Any], preset: str, catalog: Catalog) -> list[str]:
    """What is wrong with a task's preset, whatever job completes it: unknown keys, impossible values."""
    data = {"train": None, "valid": None}  # refused, so that nothing is asked of their columns
    written = _expanded(Node.of({"task": task.name, "preset": preset, "data": data}, "the job"))
    layers = [_defaults(Path("job.yaml"), task), *_preset(written, task), written]
    try:
        resolve(Node(functools.reduce(merge, layers).value, "the job"), task, catalog)
    except ConfigError as error:
        lines = [line for line in str(error).splitlines() if line.startswith(f"preset {preset}: ")]
        return [line for line in lines if not line.endswith(": is missing")]
    return []


def _job(tree: Node, task: TaskSpec[Any], catalog: Catalog, path: Path) -> Job:
    config = resolve(tree, task, catalog)
    origins = {
        ".".join(map(str, place)): node.origin if (node := tree.at(place)) else DEFAULT
        for place in _leaves(config.model_dump())
    }
    return Job(config=config, origins=origins, path=path)


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all values that are not sections themselves."""
    if isinstance(value, dict) and value:
        children: list[tuple[int | str, Any]] = list(value.items())
    elif isinstance(value, list | tuple) and any(isinstance(child, dict) for child in value):
        children = list(enumerate(value))
    else:
        yield path
        return
    for key, child in children:
        yield from _leaves(child, (*path, key))


def _substituted(text: str) -> str:
    """The text with each ``${NAME}`` replaced by that environment variable."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(f"the environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value, text)


# Layers ------------------------------------------------------------------------------------------------


def _override(text: str) -> Node:
    """``train.steps=500`` as a layer."""
    dotted, equals, value = text.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set takes key=value, as in train.steps=500; found '{text}'")
    node = read_yaml(value, f"{SET} {text}", lines=False)
    node = Node.of(node.plain(), SET)
    return functools.reduce(lambda child, key: Node({key: child}, SET), reversed(keys), node)


def _expanded(layer: Node) -> Node:
    """The layer with each part that is a bare name as a mapping."""
    return functools.reduce(_expanded_at, PARTS, layer)


def _expanded_at(node: Node, place: tuple[str, ...]) -> Node:
    if not place:
        return Node({"name": node}, node.origin) if isinstance(node.value, str) else node
    key, rest = place[0], place[1:]
    if isinstance(node.value, dict):
        value = {
            name: _expanded_at(child, rest) if key in (name, ANY) else child
            for name, child in node.value.items()
        }
        return Node(value, node.origin)
    if isinstance(node.value, list) and key == ANY:
        return Node([_expanded_at(child, rest) for child in node.value], node.origin)
    return node


def _defaults(path: Path, task: TaskSpec[Any]) -> Node:
    """The names of parts and variants that hold where nobody says another."""
    train = {key: {"name": getattr(TrainConfig(), key).name} for key in ("optimizer", "schedule")}
    head = ModelConfig.model_fields["head"].get_default()
    inputs = {slot: {"name": modality} for slot, modality in task.inputs.items()}
    values = {"name": path.stem, "inputs": inputs, "model": {"head": {"name": head.name}}, "train": train}
    return Node.of(values, DEFAULT)


def _task(tree: Node, catalog: Catalog) -> TaskSpec[Any]:
    named = tree.at(("task", "name"))
    if named is None or not isinstance(named.value, str):
        names = ", ".join(spec.name for spec in catalog.specs("task"))
        raise ConfigError(
            f"{tree.origin_of(('task',))}: `task` names what to do; there are: {names or 'none'}"
        )
    try:
        return catalog.get("task", named.value)
    except PluginError as error:
        raise PluginError(f"{named.origin}: {error}") from None


def _preset(written: Node, task: TaskSpec[Any]) -> Iterator[Node]:
    named = written.at(("preset",))
    if named is None or named.value is None:
        return
    name = str(named.plain())
    if name not in task.presets:
        raise ConfigError(f"{named.origin}: {unknown_name('preset', name, task.presets)}")
    yield _expanded(Node.of(task.presets[name], f"preset {name}"))
