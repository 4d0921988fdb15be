"""Which way is a score better? What the core knows itself, and what those say who offer a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

ALWAYS_KNOWN: Final[Mapping[str, bool]] = {"ppl": False, "accuracy": True}
"""Whether higher is better, of the scores that are no parts of a plugin's."""


@final
class Ways:
    """Which way scores are better.

    Args:
        higher_is_better: Whether it is, by metric; None for what installed plugins say, who are looked for
            when somebody asks.
    """

    def __init__(self, higher_is_better: Mapping[str, bool] | None = None) -> None:
        self._given = higher_is_better

    def of(self, score: str) -> bool | None:
        """Whether higher is better; None where nobody here knows.

        Args:
            score: Its name: ``bleu``; ``nearest/bleu`` and ``speaker=ann/bleu`` go the same way.
        """
        metric = score.rpartition("/")[2]
        if metric in ALWAYS_KNOWN:
            return ALWAYS_KNOWN[metric]
        if self._given is None:
            self._given = _installed()
        return self._given.get(metric)


def _installed() -> Mapping[str, bool]:
    from seqloom.catalog import Catalog  # noqa: PLC0415 - looks for plugins
    from seqloom.hooks import MetricSpec  # noqa: PLC0415

    specs = Catalog.from_environment().specs("metric")
    return {spec.name: spec.higher_is_better for spec in specs if isinstance(spec, MetricSpec)}
