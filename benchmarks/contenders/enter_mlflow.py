"""MLflow's client over its SQLite store as a contender: a run and its scores are entered."""

from __future__ import annotations

from fill_mlflow import flat
from histories import histories
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient
from questions import EVALUATION, MANY, Stopwatch, arguments

AT_ONCE = 1000
"""Metrics that its store takes at once."""


def main() -> None:
    """Enters a few runs, one with many scores at once, then one evaluation after the other."""
    given = arguments()
    watch = Stopwatch(given.repeats)
    config = next(histories(200, 4000)).parameters
    client = MlflowClient(tracking_uri=given.url)
    experiment = client.get_experiment_by_name("runs").experiment_id
    parameters = [Param(key, value) for key, value in flat(config)]

    def start() -> list[str]:
        run_id = client.create_run(experiment, run_name="entered").info.run_id
        client.log_batch(run_id, params=parameters)
        return [run_id]

    ids = watch.time("enter a run", start)
    steps = iter(range(MANY, MANY + 10_000))

    def evaluate() -> list[str]:
        step = next(steps)
        client.log_batch(ids[0], [Metric(name, 1.0, step, step) for name in EVALUATION])
        return []

    def enter_many() -> None:
        for first in range(0, MANY, AT_ONCE):
            part = range(first, first + AT_ONCE)
            client.log_batch(ids[0], [Metric("bleu", step % 97, step, step) for step in part])

    watch.time("enter an evaluation", evaluate)
    watch.once("enter 10,000 scores at once", enter_many)
    watch.time("enter an evaluation, run of 10,000", evaluate)
    watch.report(given.found)


if __name__ == "__main__":
    main()
