"""Which installed distributions say that they are plugins? Their metadata alone is read.

``importlib.metadata.entry_points`` gives up where a single distribution's metadata is broken, and reads a
long description for each name; here each distribution is read alone, and its header only.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from seqloom.containment import described
from seqloom.hooks import ENTRY_POINT_GROUP

_SECTION = re.compile(rf"^\s*\[{ENTRY_POINT_GROUP}\]\s*$", re.MULTILINE)


class Found(NamedTuple):
    """An entry point of a plugin.

    Attributes:
        name: Its name.
        distribution: Which declares it.
        version: The distribution's.
        module: What it points to.
        load: Imports that.
        flaw: What is wrong with the distribution's metadata; empty where nothing is.
    """

    name: str
    distribution: str
    version: str
    module: str
    load: Callable[[], object]
    flaw: str = ""


def found_plugins() -> list[Found]:
    """All entry points of plugins, by the names of their distributions, then by their own.

    Of several distributions of one name, the first on ``sys.path`` counts, as for an import.
    """
    found: dict[str, list[Found]] = {}
    for distribution in importlib.metadata.distributions():
        entries = list(_entries(distribution))
        if entries:
            found.setdefault(normalized(entries[0].distribution), entries)
    entries = [entry for group in found.values() for entry in group]
    return sorted(entries, key=lambda entry: (entry.distribution, entry.name))


def normalized(distribution: str) -> str:
    """A distribution's name as indexes compare them: ``Seqloom_IMU`` is ``seqloom-imu``."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _entries(distribution: importlib.metadata.Distribution) -> Iterator[Found]:
    stem = Path(str(getattr(distribution, "_path", ""))).stem.partition("-")[0]  # of name-0.1.dist-info
    try:
        declared = distribution.read_text("entry_points.txt")
        if declared is None or not _SECTION.search(declared):
            return
        header = _header(distribution)
        entry_points = [one for one in distribution.entry_points if one.group == ENTRY_POINT_GROUP]
    except Exception as error:  # whatever it is, it is this distribution's alone
        broken = f"its metadata cannot be read ({described(error)}); install it anew"
        yield Found(stem, stem, "", "", lambda: None, broken)
        return
    flaw = "" if all(header) else "its metadata lacks a name or a version; install it anew"
    for one in entry_points:
        yield Found(one.name, header[0] or stem, header[1], one.value, one.load, flaw)


def _header(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    """The distribution's name and version; empty where it does not say."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    fields = dict(re.findall(r"^(Name|Version):[ \t]*(.*?)[ \t\r]*$", head, re.MULTILINE))
    return fields.get("Name", ""), fields.get("Version", "")
