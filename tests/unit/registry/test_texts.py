"""Texts and numbers mean the same in each kind of database, whatever its operator's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from seqloom.errors import ConfigError, UsageError
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

NAMES = ("Zebra", "apfel", "Äpfel", "äpfel", "a-b", "ab", "a_b", "a%b", "a\\b", "zebra", "中", "🦓", "")
CONFIG = {
    "labels": {"0": "zero", "x": ["a", "b"]},
    "list": ["first", {"deep": 1}],
    "ä": "umlaut",
    "back\\slash": "there",
    "-1": "minus",
    "big": 2**62,
    "bigger": 10**30,
    "small": 1e-7,
    "tenth": 0.1,
    "endless": math.inf,
    "nul": "a\0b",
    "half": "\ud83e",
}


@pytest.fixture(scope="module")
def named(
    new_url: Callable[[], str], new_clock: Callable[[], Callable[[], datetime]], facts: dict[str, Any]
) -> Iterator[Registry]:
    """Runs of these names, and one with the configuration above."""
    with Registry(new_url(), clock=new_clock()) as registry:
        for number, name in enumerate(NAMES):
            registry.start_run(**facts | {"id": f"r{number:02}", "name": name, "config": {"name": name}})
        registry.start_run(**facts | {"id": "whole", "name": "whole", "config": CONFIG, "seed": 2**53 + 1})
        yield registry


def names(found: list[Any]) -> list[str]:
    return [run.name for run in found if run.id != "whole"]


@pytest.mark.parametrize("field", ["name", "config.name"])
def test_texts_are_sorted_by_code_points(named: Registry, field: str) -> None:
    assert names(named.runs(f"order by {field}")) == sorted(NAMES)
    assert names(named.runs(f"order by {field} desc")) == sorted(NAMES, reverse=True)
    for name in NAMES[:-1]:
        for symbol, fits in (("<", str.__lt__), (">=", str.__ge__)):
            found = names(named.runs(f"{field} {symbol} '{name}' order by {field}"))
            assert found == [other for other in sorted(NAMES) if fits(other, name)], (field, symbol, name)


@pytest.mark.parametrize("field", ["name", "config.name"])
def test_pages_of_texts_follow_each_other(named: Registry, field: str) -> None:
    seen, last = [], None
    while page := named.runs(f"id != 'whole' order by {field}", 4, after=last):
        seen += names(page)
        last = page[-1].id
    assert seen == sorted(NAMES)


@pytest.mark.parametrize("field", ["name", "config.name"])
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ZEBRA", ["Zebra", "zebra"]),
        ("äpfel", ["äpfel"]),  # English letters alone
        ("Ä%", ["Äpfel"]),
        ("a_b", ["a%b", "a-b", "a\\b", "a_b"]),
        ("a\\b", ["a\\b"]),
        ("a\\_b", []),
        ("_", ["中", "🦓"]),
        ("", [""]),
    ],
)
def test_patterns(named: Registry, field: str, pattern: str, found: list[str]) -> None:
    assert sorted(names(named.runs(f"{field} like '{pattern}'"))) == found


@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ("config.labels.x.1 = 'b'", True),
        ("config.list.1.deep = 1", True),
        ("`config.back\\slash` = 'there'", True),
        ("`config.ä` = 'umlaut'", True),
        ("config.-1 = 'minus'", True),
        ("config.big = 4611686018427387904", True),
        ("config.big = 4611686018427387905", False),
        ("config.big > 4611686018427387903", True),
        ("config.bigger > 1e29 and config.bigger < 1e31", True),
        ("config.bigger < 1e999 and config.bigger > -1e999", True),
        ("config.small = 1e-7", True),
        ("config.small < 0.0000001", False),
        ("config.tenth = 0.1", True),
        ("config.tenth > 0.1 or config.tenth < 0.1", False),
        ("config.tenth in (1, 0.1)", True),
        ("config.endless is null", True),  # JSON has no infinities
        ("config.nul = 'a\0b'", True),
        ("config.nul = 'a\N{REPLACEMENT CHARACTER}b'", True),
        ("config.half like '_'", True),
        ("seed = 9007199254740993", True),
        ("seed = 9007199254740992.0", False),
        ("seed > 9007199254740992.0", True),
        ("seed < 1e400 and seed > -1e30", True),
        ("not seed in (1.5, 1e30)", True),
        ("name = 'whole\0'", False),
        ("name = '\udcff'", False),
        ("created > '0001-01-01' and created < '9999-12-31T23:59'", True),
        ("id = 'whole' limit 999999999999999999", True),
    ],
)
def test_values_of_all_sorts(named: Registry, where: str, is_found: bool) -> None:
    assert ("whole" in [run.id for run in named.runs(where)]) is is_found


@pytest.mark.parametrize(
    "key",
    [
        "labels.0",
        "labels.x.01",
        "list.9999999999999",
        "list.4294967296",
        "list.-1",
        "list.first",
        "list.²",
        "tenth.x",
        "big.0",
    ],
)
def test_keys_that_are_not_there(named: Registry, key: str) -> None:
    with pytest.raises(UsageError, match="no run's configuration has"):
        named.runs(f"config.{key} = 'zero'")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"])
def test_moments_out_of_time(named: Registry, moment: str) -> None:
    with pytest.raises(UsageError, match="expected a moment like"):
        named.runs(f"created > '{moment}'")


def test_what_no_text_may_hold_is_replaced(registry: Registry, facts: dict[str, Any]) -> None:
    run = registry.start_run(**facts | {"config": CONFIG, "name": "a\0\ud800b"})
    assert run.name == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"
    assert run == registry.run(run.id)
    assert run.config == {
        **CONFIG,
        "endless": None,
        "nul": "a\N{REPLACEMENT CHARACTER}b",
        "half": "\N{REPLACEMENT CHARACTER}",
    }
    said = "\\u0000, \\\\u0000 and \\"
    assert registry.end_run(run.id, "failed", said).error == said
    kept = {"config": {"text": said, "\0": "\0"}}
    assert registry.start_run(**facts | kept).config == {
        "text": said,
        "\N{REPLACEMENT CHARACTER}": "\N{REPLACEMENT CHARACTER}",
    }


def test_runs_are_found_by_the_beginning_of_ids_whatever_signs_it_has(
    registry: Registry, facts: dict[str, Any]
) -> None:
    for run_id in ("ab", "AB", "a_", "a.", "Z"):
        registry.start_run(**facts | {"id": f"{run_id}-x"})
    for run_id in ("ab", "AB", "a_", "a.", "Z"):
        assert registry.run(run_id).id.startswith(run_id)
    for run_id in ("a%", "_", "z", "Ab"):
        with pytest.raises(ConfigError, match=f"no run '{run_id}'"):
            registry.run(run_id)


def test_scores_without_a_number_come_last(registry: Registry, facts: dict[str, Any]) -> None:
    for run_id, value in (("a", math.nan), ("b", math.inf), ("c", -math.inf), ("d", 1.5)):
        registry.start_run(**facts | {"id": run_id})
        registry.add_scores(
            run_id, [Score(metric="bleu", value=value, split="v", step=2**40, signature="")]
        )
    assert [run.id for run in registry.runs("order by bleu")] == ["c", "d", "b", "a"]
    assert [run.id for run in registry.runs("order by bleu desc")] == ["b", "d", "c", "a"]
    assert [run.id for run in registry.runs("bleu > 1099511627776")] == ["b"]
    assert [run.id for run in registry.runs("at(bleu, 1099511627776) < 1e999")] == ["d", "c"]
    assert [run.id for run in registry.runs("bleu is null")] == ["a"]


def test_what_hangs_on_a_record_is_sorted_by_code_points(registry: Registry, facts: dict[str, Any]) -> None:
    keys = ["a.b", "Z", "a-b", "ab", "a_b", "B"]
    files = [DataFile(path=key, sha256=key, split="train", bytes=1, rows=1) for key in keys]
    run = registry.start_run(**facts | {"data": files})
    registry.add_model("m", "t", run.id, "/x", "", [])
    for key in keys:
        registry.tag_run(run.id, {key: "x"})
        registry.set_alias("m", 1, key)
    run = registry.run(run.id)
    assert list(run.tags) == [file.path for file in run.data] == sorted(keys)
    assert registry.model("m").aliases == tuple(sorted(keys))
