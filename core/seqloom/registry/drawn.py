"""How is a lineage drawn in text? As a tree for people, and as a flowchart in Mermaid's language."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from seqloom.registry.nodes import CHECKPOINT, MORE
from seqloom.registry.records import Lineage, LineageNode

SHORT: Final = 12
"""Digits of a sha256 that people are shown."""
SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    "data": ("[(", ")]"),
    "run": ("[", "]"),
    CHECKPOINT: ("[[", "]]"),
    "model": ("([", "])"),
    MORE: ("[", "]"),
}
"""Brackets of Mermaid's around a node's label, by its kind."""
OTHER_SHAPE: Final = ("[/", "/]")
PLAIN: Final = re.compile(r"[^\w .,:/@+=-]|[ﬂ°¶ß]")
"""What may mean something to Mermaid, the signs that it keeps for itself among it."""
CLASSES: Final = (
    "classDef about stroke-width:4px",
    "classDef deleted stroke-dasharray:4 4",
)
Neighbours = Mapping[str, Sequence[str]]


def as_tree(lineage: Lineage) -> str:
    """A lineage as two trees: of what its subject came from, and of what came from it.

    What is there twice is told once whole, and then by its name.
    """
    nodes = {node.id: node for node in lineage.nodes}
    back: dict[str, list[str]] = defaultdict(list)
    ahead: dict[str, list[str]] = defaultdict(list)
    for cause, effect in lineage.edges:  # sorted, and so what is next to a node is, too
        back[effect].append(cause)
        ahead[cause].append(effect)
    lines = [_line(nodes[lineage.about])]
    for title, neighbours in (("came from", back), ("led to", ahead)):
        there = neighbours.get(lineage.about)
        lines += ["", title if there else f"{title} nothing that is known"]
        lines += _branches(lineage.about, neighbours, nodes)
    return "\n".join(lines)


def _branches(root: str, neighbours: Neighbours, nodes: Mapping[str, LineageNode]) -> Iterator[str]:
    """The lines below a node; without recursion, as chains may be long."""
    told = {root}
    waiting = [(one, "", one == neighbours[root][-1]) for one in reversed(neighbours.get(root, ()))]
    while waiting:
        node_id, indent, is_last = waiting.pop()
        below = neighbours.get(node_id, ())
        again = " (see above)" if below and node_id in told else ""
        yield f"{indent}{'└─ ' if is_last else '├─ '}{_line(nodes[node_id])}{again}"
        if node_id not in told:
            deeper = indent + ("   " if is_last else "│  ")
            waiting += [(one, deeper, one == below[-1]) for one in reversed(below)]
        told.add(node_id)


def _line(node: LineageNode) -> str:
    first, *others = said(node)
    return seen("  ".join([first, ", ".join(others)]).rstrip())


def said(node: LineageNode) -> list[str]:
    """What people are told of a node: what it is called first, then what else there is to say."""
    of = node.details
    facts: dict[str, Callable[[], list[str | None]]] = {
        "data": lambda: [of.get("split"), _counted(of, "rows"), _counted(of, "bytes"), _short(of)],
        "run": lambda: [of.get("name"), _unusual(of), of.get("started"), of.get("scores")],
        "model": lambda: [of.get("state"), of.get("aliases"), of.get("registered"), of.get("scores")],
        MORE: list,
    }
    told = facts.get(node.kind, lambda: [_counted(of, "bytes"), _short(of)])()
    gone = [f"{word} {of[word]}" for word in ("deleted", "purged") if word in of]
    kind = of.get("kind", "run") if node.kind == "run" else "" if node.kind == MORE else node.kind
    return [f"{kind} {node.label}".strip(), *(fact for fact in told if fact), *gone]


def _unusual(of: Mapping[str, str]) -> str | None:
    """How a run stands, unless it ended well."""
    return None if of.get("status") == "finished" else of.get("status")


def _counted(of: Mapping[str, str], unit: str) -> str | None:
    return f"{of[unit]} {unit}" if unit in of else None


def _short(of: Mapping[str, str]) -> str | None:
    return f"sha256 {of['sha256'][:SHORT]}" if "sha256" in of else None


def seen(text: str) -> str:
    """A text in which each sign can be seen: those that move a cursor or turn text are spelt out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def as_mermaid(lineage: Lineage) -> str:
    """A lineage as a flowchart of Mermaid's, from the left to the right."""
    number = {node.id: f"n{place}" for place, node in enumerate(lineage.nodes)}
    lines = ["flowchart LR"]
    for node in lineage.nodes:
        first, *others = said(node)
        opening, closing = SHAPES.get(node.kind, OTHER_SHAPE)
        told = [text for text in (first, ", ".join(others)) if text.strip()] or [node.kind]
        label = "<br>".join(escaped(text) for text in told)
        lines.append(f'  {number[node.id]}{opening}"{label}"{closing}')
    lines += [f"  {number[cause]} --> {number[effect]}" for cause, effect in lineage.edges]
    gone = [number[node.id] for node in lineage.nodes if "deleted" in node.details]
    lines += [f"  {line}" for line in CLASSES]
    lines.append(f"  class {number[lineage.about]} about")
    if gone:
        lines.append(f"  class {','.join(gone)} deleted")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """A text in which no sign means anything to Mermaid, nor to HTML: those are written as numbers."""
    return PLAIN.sub(lambda found: f"#{ord(found[0])};", seen(text))
