"""Seqloom's registry as a contender: first pages of runs, and all of one run."""

from __future__ import annotations

from functools import partial

from questions import PAGE, QUESTIONS, Question, Stopwatch, arguments

from seqloom.registry.store import Registry


def page(registry: Registry, question: Question, after: str | None = None) -> list[str]:
    """Ids of a page."""
    return [run.id for run in registry.runs(question.ours, PAGE, after=after)]


def whole(registry: Registry, run_id: str) -> list[str]:
    """All of one run: its record with its scores, what it left, what happened in it; names its scores."""
    run = registry.run(run_id)
    registry.artefacts(run_id)
    registry.events(run_id)
    return sorted(score.metric for score in run.scores)


def main() -> None:
    """Asks all questions."""
    given = arguments()
    watch = Stopwatch(given.repeats)
    with Registry(given.url) as registry:
        for question in QUESTIONS:
            found = watch.time(question.name, partial(page, registry, question))
            if question.follows:
                watch.time(f"{question.name}, page 2", partial(page, registry, question, found[-1]))
        newest = registry.runs(limit=400)
        for name, run in (
            ("a run, usual", min(newest, key=lambda run: len(run.scores))),
            ("a run, long", max(newest, key=lambda run: len(run.scores))),
        ):
            watch.time(name, partial(whole, registry, run.id))
    watch.report(given.found)


if __name__ == "__main__":
    main()
