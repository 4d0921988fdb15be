"""MLflow's client over its SQLite store as a contender: first pages of runs, and all of one run."""

from __future__ import annotations

from functools import partial

from mlflow.tracking import MlflowClient
from questions import PAGE, QUESTIONS, Question, Stopwatch, arguments


def page(client: MlflowClient, experiment: str, question: Question, token: str | None = None) -> list[str]:
    """Ids of a page."""
    found = client.search_runs(
        [experiment], question.theirs, max_results=PAGE, order_by=[question.their_order], page_token=token
    )
    return [run.info.run_id for run in found]


def whole(client: MlflowClient, run_id: str) -> list[str]:
    """All of one run: what is known of it, and each of its metrics over time; names its scores."""
    run = client.get_run(run_id)
    return sorted(
        metric.key for key in run.data.metrics for metric in client.get_metric_history(run_id, key)
    )


def main() -> None:
    """Asks all questions that it can answer."""
    given = arguments()
    watch = Stopwatch(given.repeats)
    client = MlflowClient(tracking_uri=given.url)
    experiment = client.get_experiment_by_name("runs").experiment_id
    for question in QUESTIONS:
        if question.theirs is None:
            continue
        watch.time(question.name, partial(page, client, experiment, question))
        if question.follows:
            order = [question.their_order]
            first = client.search_runs([experiment], question.theirs, max_results=PAGE, order_by=order)
            watch.time(f"{question.name}, page 2", partial(page, client, experiment, question, first.token))
    newest = client.search_runs([experiment], max_results=400)
    sizes = {run.info.run_id: len(whole(client, run.info.run_id)) for run in newest}
    for name, chosen in (("a run, usual", min), ("a run, long", max)):
        run_id = chosen(sizes, key=sizes.__getitem__)
        watch.time(name, partial(whole, client, run_id))
    watch.report(given.found)


if __name__ == "__main__":
    main()
