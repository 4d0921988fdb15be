"""What happened in a run: what the registry keeps of it, and what its file says besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from seqloom.registry.records import Event

MOST: Final = 60
MOST_DETAILS: Final = 12
LONGEST: Final = 300  # characters of a detail
FROM_START: Final = -1.0


@dataclass(frozen=True)
class Happening:
    """Something that happened.

    Attributes:
        kind: One word.
        step: Optimiser steps done, None where that says nothing.
        at: When, None where nobody noted it.
        reason: Why.
        details: What else there is to say, as text.
    """

    kind: str
    step: int | None
    at: datetime | None
    reason: str
    details: Mapping[str, str] = field(default_factory=dict, hash=False)


def happenings(kept: Iterable[Event], written: Iterable[Mapping[str, Any]]) -> Sequence[Happening]:
    """All that happened, newest first.

    Args:
        kept: What the registry has.
        written: Lines of ``metrics.jsonl`` with an ``event``; those that the registry has, too, are one.
    """
    found = [_happening(event.kind, event.details, event.at) for event in kept]
    known = {(one.kind, one.step) for one in found}
    others = [_happening(str(line["event"]), line, None) for line in written]
    found += [one for one in others if (one.kind, one.step) not in known]
    dated = [one for one in found if one.at is not None]
    undated = [one for one in found if one.at is None]
    if not undated:
        return sorted(dated, key=lambda one: one.at or datetime.min, reverse=True)[:MOST]
    return sorted(found, key=_step, reverse=True)[:MOST]


def _step(one: Happening) -> float:
    return FROM_START if one.step is None else one.step


def _happening(kind: str, said: Mapping[str, Any], at: datetime | None) -> Happening:
    step = said.get("step")
    others = {name: value for name, value in said.items() if name not in {"event", "step", "reason"}}
    return Happening(
        kind=kind[:LONGEST],
        step=step if isinstance(step, int) and not isinstance(step, bool) else None,
        at=at,
        reason=_short(said.get("reason", "")),
        details={str(name)[:LONGEST]: _short(value) for name, value in list(others.items())[:MOST_DETAILS]},
    )


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    said = ", ".join(map(str, value[:MOST_DETAILS])) if isinstance(value, list) else str(value)
    return said if len(said) <= LONGEST else said[:LONGEST] + "…"
