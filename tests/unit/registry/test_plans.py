"""A page is found through indices: nothing that grows with all scores ever made is read through."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from seqloom.registry.records import Score
from seqloom.registry.store import Registry

SUMMARIES = "ix_score_summaries_metric_run_id_latest_least_most"
OWN_SUMMARY = "sqlite_autoindex_score_summaries_1 (run_id=? AND metric=?)"
READ_THROUGH = re.compile(r"SCAN (?!CONSTANT|(runs|models)\b|aliases\b)")
"""Tables of which a page may see all rows: one for each run, each model, each alias, and no more."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("filled") / "registry.db"


@pytest.fixture(scope="module")
def filled(
    file: Path, new_clock: Callable[[], Callable[[], datetime]], facts: dict[str, Any]
) -> Iterator[Registry]:
    registry = Registry(f"sqlite:///{file}", clock=new_clock())
    for number in range(3):
        run = registry.start_run(**facts, id=f"r{number}")
        scores = [
            Score(metric="bleu", value=step + number, split="v", step=step, signature="") for step in (1, 2)
        ]
        registry.add_scores(run.id, scores)
        registry.tag_run(run.id, {"team": "mt"})
        registry.add_event(run.id, "started")
        registry.add_model("de-en", "translation", run.id, "/x", "", scores[:1])
    registry.set_alias("de-en", 1, "champion")
    registry.start_run(**facts, id="other")
    yield registry
    registry.close()


@contextmanager
def plans(file: Path) -> Iterator[list[str]]:
    """How SQLite answers what it is asked meanwhile, a line for each table; without statistics (ANALYZE)."""
    asked: list[tuple[str, Any]] = []
    found: list[str] = []

    def listen(_: Any, __: Any, statement: str, values: Any, ___: Any, is_many: bool) -> None:
        if statement.startswith(("SELECT", "DELETE")):
            asked.append((statement, values[0] if is_many else values))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    with closing(sqlite3.connect(file)) as connection:
        for statement, values in asked:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            found += [row[3] for row in rows]


@pytest.mark.parametrize(
    ("where", "indices"),
    [
        (None, ["SCAN runs USING INDEX ix_runs_started_at"]),
        ("max(bleu) > 2 order by max(bleu) desc", [f"COVERING INDEX {SUMMARIES} (metric=?", OWN_SUMMARY]),
        ("bleu is null order by min(bleu)", [f"COVERING INDEX {SUMMARIES} (metric=?", OWN_SUMMARY]),
        (
            "not bleu > 2",
            [f"COVERING INDEX {SUMMARIES} (metric=?", "SCAN runs USING INDEX ix_runs_started_at"],
        ),
        (
            "at(bleu, 2) > 2 order by at(bleu, 2)",
            [
                "ix_scores_metric_step_run_id (metric=? AND step=? AND run_id>?)",
                "ix_scores_metric_step_run_id (metric=? AND step=? AND run_id=?)",
            ],
        ),
        (
            "task = 'translation' and max(bleu) > 2 and config.train.steps >= 2000 and tag.team = 'mt'"
            " order by max(bleu) desc",
            [
                SUMMARIES,
                "ix_settings_key (key=?)",
                "run_settings USING PRIMARY KEY (setting_id=?)",
                "ix_tags_key (key=?)",
                OWN_SUMMARY,
            ],
        ),
        ("alias = 'champion'", ["SEARCH runs USING INDEX ix_runs_model (model=?)"]),
        (
            "created >= '2026-11-21' and created < '2026-11-22'",
            ["ix_runs_started_at (started_at>? AND started_at<?)"],
        ),
        (
            "tag.team like 'm%' order by tag.team",
            ["ix_tags_key (key=?)", "sqlite_autoindex_tags_1 (run_id=? AND key=?)"],
        ),
        ("event = 'started'", ["ix_events_kind (kind=?)"]),
        ("data_sha256 = 'ab12'", ["ix_run_data_sha256 (sha256=?)"]),
    ],
)
def test_pages_of_runs_use_indices(
    filled: Registry, file: Path, where: str | None, indices: list[str]
) -> None:
    for after in (None, "r1"):
        with plans(file) as found:
            filled.runs(where, 20, after=after)

        assert [line for line in found if READ_THROUGH.match(line)] == []
        assert [index for index in indices if not any(index in line for line in found)] == [], found


@pytest.mark.parametrize(
    ("where", "indices"),
    [
        (None, ["SCAN models USING INDEX ix_models_created_at"]),
        (
            "max(bleu) > 0 and alias = 'champion' order by bleu",
            [
                "ix_score_summaries_metric_model_id_latest_least_most (metric=?",
                "sqlite_autoindex_score_summaries_2 (model_id=? AND metric=?)",
            ],
        ),
        (
            "at(bleu, 1) > 0 order by at(bleu, 1)",
            ["ix_scores_metric_step_model_id (metric=? AND step=? AND model_id=?)"],
        ),
        (
            "config.train.steps >= 2000",
            ["SEARCH models USING INDEX ix_models_run_id (run_id=?)", "ix_settings_key (key=?)"],
        ),
    ],
)
def test_pages_of_models_use_indices(
    filled: Registry, file: Path, where: str | None, indices: list[str]
) -> None:
    with plans(file) as found:
        assert filled.models(where, 20)

    assert [line for line in found if READ_THROUGH.match(line)] == []
    assert [index for index in indices if not any(index in line for line in found)] == [], found


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (lambda r: r.run("r1"), "SEARCH scores USING INDEX ix_scores_run_id (run_id=?)"),
        (
            lambda r: r.run("oth"),
            "SEARCH runs USING COVERING INDEX sqlite_autoindex_runs_1 (id>? AND id<?)",
        ),
        (lambda r: r.events("r1"), "SEARCH events USING INDEX ix_events_run_id (run_id=?)"),
        (lambda r: r.artefacts("r1"), "artefacts USING INDEX sqlite_autoindex_artefacts_1 (run_id=?)"),
        (lambda r: r.model("de-en"), "SEARCH scores USING INDEX ix_scores_model_id (model_id=?)"),
    ],
)
def test_a_run_and_a_model_are_found_without_looking_at_others(
    filled: Registry, file: Path, look: Callable[[Registry], Any], index: str
) -> None:
    with plans(file) as found:
        look(filled)

    assert any(index in line for line in found), found
    assert [line for line in found if line.startswith("SCAN")] == []


def test_a_score_is_entered_without_looking_at_others(filled: Registry, file: Path) -> None:
    """In a run with many scores, too: those to give way are found by metric, step and run."""
    with plans(file) as found:
        filled.add_scores("r1", [Score(metric="bleu", value=1.0, split="v", step=9, signature="")])

    assert [line for line in found if line.startswith("SCAN")] == []
    assert [line for line in found if "scores " in line] == [
        "SEARCH scores USING INDEX ix_scores_metric_step_run_id (metric=? AND step=? AND run_id=?)"
    ]
