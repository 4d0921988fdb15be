"""How do moments, times and figures look on the page?"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

UNITS: Final = (
    (86400 * 365, "year"),
    (86400 * 30, "month"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)
SIZES: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
NOTHING: Final = "–"


def moment(value: datetime) -> str:
    """``2026-11-21 13:15:02``, in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def ago(value: datetime, now: datetime | None = None) -> str:
    """``3 hours ago``; ``just now`` within a minute."""
    seconds = ((now or datetime.now(UTC)) - value).total_seconds()
    for length, name in UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"


def duration(start: datetime, end: datetime | None, now: datetime | None = None) -> str:
    """``2 d 4 h``, ``12 min``, ``8 s``: the two largest units; until now where there is no end."""
    seconds = max(0, round(((end or now or datetime.now(UTC)) - start).total_seconds()))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def figure(value: float, digits: int = 2) -> str:
    """A score: ``31.20``, ``0.0041``, ``1.2e+09``; a dash for NaN."""
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else "∞" if value > 0 else "−∞"
    is_usual = value == 0 or 10**-digits <= abs(value) < 10**6
    return f"{value:.{digits}{'f' if is_usual else 'g'}}".replace("-", "−")


def whole(value: float) -> str:
    """``12 000``: thousands apart, by a space that does not break."""
    return f"{value:,.0f}".replace(",", "\u202f")


def size(count: float) -> str:
    """``1.4 GiB``."""
    for unit in SIZES[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == SIZES[0] else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {SIZES[-1]}"
