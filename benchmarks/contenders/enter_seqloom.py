"""Seqloom's registry as a contender: a run and its scores are entered."""

from __future__ import annotations

from fill_seqloom import FACTS
from histories import histories
from questions import EVALUATION, MANY, Stopwatch, arguments

from seqloom.registry.records import Score
from seqloom.registry.store import Registry


def main() -> None:
    """Enters a few runs, one with many scores at once, then one evaluation after the other."""
    given = arguments()
    watch = Stopwatch(given.repeats)
    config = next(histories(200, 4000)).parameters
    facts = {
        **FACTS,
        "kind": "train",
        "name": "entered",
        "task": "t",
        "config": config,
        "seed": 1,
        "data": [],
    }
    many = [Score(metric="bleu", value=n % 97, split="valid", step=n, signature="") for n in range(MANY)]
    with Registry(given.url) as registry:
        ids = watch.time("enter a run", lambda: [registry.start_run(**facts).id])
        steps = iter(range(MANY, MANY + 10_000))

        def evaluate() -> list[str]:
            step = next(steps)
            scores = [
                Score(metric=name, value=1.0, split="valid", step=step, signature="") for name in EVALUATION
            ]
            registry.add_scores(ids[0], scores)
            return []

        watch.time("enter an evaluation", evaluate)
        watch.once("enter 10,000 scores at once", lambda: registry.add_scores(ids[0], many))
        watch.time("enter an evaluation, run of 10,000", evaluate)
    watch.report(given.found)


if __name__ == "__main__":
    main()
