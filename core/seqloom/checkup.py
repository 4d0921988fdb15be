"""What is wrong with a plugin, beyond what it says itself? All that it offers is imported and built."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from pydantic import ValidationError
from torch import nn

from seqloom.catalog import Catalog, Plugin
from seqloom.deprecation import DeprecatedWarning
from seqloom.errors import PluginError, SeqloomError
from seqloom.head import Head
from seqloom.hooks import AttentionParts, DecoderParts, EncoderParts, HeadParts, TaskSpec
from seqloom.jobfile import preset_complaints
from seqloom.keys import invalid_defaults
from seqloom.metrics import Metric
from seqloom.modality import Modality
from seqloom.nn.attention import Attention
from seqloom.nn.decoder import Decoder
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.encoder import Encoder
from seqloom.task import Task
from seqloom.tokenizer import ByteTokenizer, Tokenizer

SLOW_SECONDS = 0.5
"""What importing an entry module may take; one that names parts takes a few thousandths."""

WIDTH = 64
CLASSES = {
    "modality": Modality,
    "encoder": Encoder,
    "attention": Attention,
    "decoder": Decoder,
    "head": Head,
    "task": Task,
    "tokenizer": Tokenizer,
    "metric": Metric,
}
"""What a builder of each kind gives."""

_PROBE = """\
import importlib, json, sys, time
sys.path[:] = json.loads(sys.argv[1])
import seqloom.hooks
sys.stdout, out = sys.stderr, sys.stdout
start = time.perf_counter()
importlib.import_module(sys.argv[2])
print(json.dumps([time.perf_counter() - start, "torch" in sys.modules]), file=out)
"""


def examine(plugin: Plugin, catalog: Catalog) -> list[str]:
    """Everything that is wrong with a plugin, a line each.

    Args:
        plugin: One of the catalog's.
        catalog: All plugins; what one needs may be another's.
    """
    if plugin.state != "ok":
        is_wish = plugin.state == "disabled" and plugin.distribution
        return [] if is_wish else [plugin.reason, *plugin.faults]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = [*plugin.faults, *_unmet(plugin), *_burdens(plugin)]
        for kind, name, _ in plugin.offers:
            found += _part_troubles(kind, name, catalog)
    used = [one.message.deprecation for one in warned if isinstance(one.message, DeprecatedWarning)]
    return list(dict.fromkeys([*found, *(f"it uses {deprecation}" for deprecation in used)]))


# The distribution and its entry module -----------------------------------------------------------------


def _unmet(plugin: Plugin) -> Iterator[str]:
    """What the distribution requires and is not there."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as in compatibility

    for text in importlib.metadata.requires(plugin.distribution) or ():
        try:
            wanted = Requirement(text)
        except InvalidRequirement as error:
            yield f"its metadata requires '{text}', which is no requirement: {error}"
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        asked = f"{wanted.name}{wanted.specifier}"
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield f"it requires {asked}, which is not installed: pip install '{asked}'"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"it requires {asked}, and {found} is installed: pip install '{asked}'"


def _burdens(plugin: Plugin) -> Iterator[str]:
    """What importing the entry module costs, in a process of its own, where nothing is imported yet."""
    module = plugin.module.partition(":")[0].strip()
    command = [sys.executable, "-c", _PROBE, json.dumps(sys.path), module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - it is here
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        yield f"importing it in a process of its own failed: {''.join(last)}"
        return
    seconds, has_torch = json.loads(done.stdout.splitlines()[-1])
    if any("imports torch" in fault for fault in plugin.faults):
        return  # said already, and it is why that takes long
    if has_torch:
        yield "importing it imports torch, which every command then waits for; import it in `load`"
    elif seconds > SLOW_SECONDS:
        yield f"importing it takes {seconds:.1f} s, for which every command waits; import less"


# Parts -------------------------------------------------------------------------------------------------


def _part_troubles(kind: str, name: str, catalog: Catalog) -> Iterator[str]:
    spec = catalog.get(kind, name)
    yield from (f"{kind} '{name}': option {said}" for said in invalid_defaults(spec.options))
    if isinstance(spec, TaskSpec):
        yield from (f"{kind} '{name}': {said}" for said in _task_troubles(spec, catalog))
    try:
        catalog.load(kind, name)
        options = spec.options()
    except PluginError as error:
        yield _bare(error, kind, name, catalog)
        return
    except ValidationError:
        return  # told above; or a job has to set some of them
    try:
        made = catalog.build(kind, name, options, *_given(kind, spec, catalog))
    except PluginError as error:
        yield _bare(error, kind, name, catalog)
    except SeqloomError:
        pass  # its own word that these options do not fit what it is built for here
    else:
        if not _is_one(made, CLASSES[kind]):
            wanted = CLASSES[kind]
            yield (
                f"building {kind} '{name}' gave {type(made).__name__}, "
                f"not a {wanted.__module__}.{wanted.__name__}"
            )


def _is_one(made: object, wanted: type) -> bool:
    if wanted is Tokenizer:  # a protocol, whose own test would ask for a vocabulary not learned yet
        return {name for name in vars(Tokenizer) if not name.startswith("_")} <= set(dir(made))
    return isinstance(made, wanted)


def _bare(error: PluginError, kind: str, name: str, catalog: Catalog) -> str:
    """What an error says but for the plugin's name."""
    return str(error).removeprefix(f"{catalog.provider(kind, name).label}: ")


def _task_troubles(spec: TaskSpec[Any], catalog: Catalog) -> Iterator[str]:
    yield from (f"flag {said}" for said in invalid_defaults(spec.flags))
    known = {one.name for one in catalog.specs("modality")}
    for slot, modality in spec.inputs.items():
        if modality not in known:
            yield f"its input '{slot}' is of modality '{modality}', which no plugin in use offers"
    for preset in spec.presets:
        yield from preset_complaints(spec, preset, catalog)


def _given(kind: str, spec: Any, catalog: Catalog) -> tuple[Any, ...]:
    """What a builder takes besides its options, small."""
    final = (1, WIDTH)
    match kind:
        case "encoder":
            return (EncoderParts(width=WIDTH),)
        case "attention":
            return (AttentionParts(query_width=WIDTH, memory_width=WIDTH),)
        case "decoder":
            return (_decoder_parts(catalog),)
        case "head":
            own = catalog.get("decoder", "transformer").options()
            decoder = catalog.build("decoder", "transformer", own, _decoder_parts(catalog))
            given = decoder if spec.takes_decoder else None
            vocabulary = ByteTokenizer().vocabulary
            return (
                HeadParts(memory_width=WIDTH, memory_final=final, decoder=given, vocabulary=vocabulary),
            )
        case "modality":
            return (ByteTokenizer() if spec.takes_tokenizer else None,)
        case "task":
            return (ByteTokenizer() if spec.target_tokenizer else None,)
    return ()


def _decoder_parts(catalog: Catalog) -> DecoderParts:
    vocabulary = ByteTokenizer().vocabulary
    output: nn.Module = free_projection(WIDTH, vocabulary.size)
    return DecoderParts(
        width=WIDTH,
        memory_width=WIDTH,
        memory_final=(1, WIDTH),
        embedding=TokenEmbedding(vocabulary.size, WIDTH, vocabulary.pad),
        output=output,
        attention=partial(_attention, catalog),
    )


def _attention(catalog: Catalog, query_width: int) -> Any:
    options = catalog.get("attention", "additive").options()
    return catalog.build(
        "attention", "additive", options, AttentionParts(query_width=query_width, memory_width=WIDTH)
    )
