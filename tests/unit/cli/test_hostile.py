"""Whatever the command line is given, and whatever a registry holds: no terminal obeys it, no file is made."""

from __future__ import annotations

import csv
import io
import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import strangers
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

CODES = {0, 2, 65, 74, 78}
"""Of the documented exit codes those that a command may end in that only looks, or is refused."""
EVIL = f"{strangers.ESCAPE}\u202e\x9b1m\n{strangers.MARKUP}"
FORMS = ([], ["--json"], ["--format", "table"], ["--format", "jsonl"], ["--format", "csv"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a registry in which all is evil that may be."""
    for name, value in {"SEQLOOM_RUNS": "runs", "SEQLOOM_REGISTRY": "registry.db", "HOME": "home"}.items():
        monkeypatch.setenv(name, f"{'sqlite:///' if name == 'SEQLOOM_REGISTRY' else ''}{tmp_path / value}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text("task: translation\nname: x\n")
    texts = dict.fromkeys(("name", "task", "device", "device_reason", "folder"), EVIL)
    maps = {name: {EVIL: EVIL} for name in ("config", "versions", "environment", "git")}
    score = Score(metric=EVIL, value=1.0, split=EVIL, step=1, signature=EVIL, parts={EVIL: 1})
    with Registry() as registry:
        data = [DataFile(path=EVIL, sha256=EVIL, split=EVIL)]
        registry.start_run(kind="train", id="r1", seed=1, data=data, **texts, **maps)  # type: ignore[misc]
        registry.add_scores("r1", [score])
        registry.end_run("r1", "failed", EVIL)
        registry.add_model("de-en", EVIL, "r1", EVIL, EVIL, [score])
    return tmp_path


@pytest.fixture(scope="module")
def say() -> Callable[..., Result]:
    """Runs a command."""
    app, runner = build_app(Catalog.from_environment()), CliRunner()
    return lambda *words: runner.invoke(app, list(words), input="")


class Stranger:
    """Somebody who says to the command line what nobody should.

    Args:
        chance: What comes to their mind.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def words(self) -> list[str]:
        """A command."""
        return self.chance.choice((self._lists, self._looks, self._tells, self._others))()

    def _text(self, *others: str) -> str:
        return self.chance.choice((*others, strangers.text(self.chance)))

    def _lists(self) -> list[str]:
        query = self._text(
            f"task = '{strangers.text(self.chance)}'", "id like '%'", "bleu > 1 or name = 'de-en'"
        )
        options = (
            [],
            ["--where", query],
            ["--limit", self._text()],
            ["--after", self._text("r1", "de-en/1")],
        )
        noun = self.chance.choice(("runs", "models"))
        return [
            noun,
            "list",
            *self.chance.choice(options),
            *self.chance.choice((*FORMS, ["--format", self._text()])),
        ]

    def _looks(self) -> list[str]:
        noun, name = self.chance.choice((("runs", "r1"), ("models", "de-en")))
        one = self._text(name)
        commands = (
            *(
                ["show", one],
                ["show", one, "--json"],
                ["lineage", one],
                ["lineage", one, "--format", self._text()],
            ),
            *(["tail", one], ["verify", one], ["alias", one, "--history"], ["gc", one], ["export", one]),
        )
        both = ["compare", one, self._text("r1", "de-en/1"), *self.chance.choice(([], ["--json"]))]
        return self.chance.choice(([noun, *self.chance.choice(commands)], both))

    def _tells(self) -> list[str]:
        noun, name = self.chance.choice((("runs", "r1"), ("models", "de-en")))
        key, value, one = strangers.text(self.chance), strangers.text(self.chance), self._text(name)
        commands = (
            *(
                ["tag", one, f"{key}={value}"],
                ["tag", name, f"key={value}"],
                ["tag", name, "--remove", key],
            ),
            *(
                ["note", one, value],
                ["rm", key],
                ["rm", key, "--undo"],
                ["import", key],
                ["import", key, value],
            ),
            *(
                ["alias", one, value],
                ["alias", name, value, "--expect", key],
                ["alias", name, value, "--remove"],
            ),
        )
        return [noun, *self.chance.choice(commands)]

    def _others(self) -> list[str]:
        one = self._text()
        commands = (
            *(
                ["resume", one],
                ["config", "show", one],
                ["train", one],
                ["train", "job.yaml", "--set", one],
                ["data", "check", one],
            ),
            *(
                ["translate", one, self._text()],
                ["translate", "de-en", "--input", one],
                ["evaluate", one],
                ["demo", one],
            ),
            *(
                [one],
                [one, self._text()],
                ["runs", one],
                ["models", one],
                ["--registry", f"sqlite:///missing/{one}", "runs", "list"],
            ),
        )
        return list(self.chance.choice(commands))


def check(result: Result, words: list[str]) -> None:
    """It ended well, or was refused, and said nothing that a terminal obeys."""
    assert result.exit_code in CODES, (words, result.stderr)
    assert "Traceback" not in result.output, words
    assert "this is a bug" not in result.output, words
    for said in (result.stderr, result.stdout if "csv" not in words else ""):
        obeyed = {sign for sign in said if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
        assert obeyed <= {"\n"}, (words, obeyed)


def listing(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.name.startswith("registry.db")}


def molest(say: Callable[..., Result], place: Path, times: int, seed: int) -> None:
    stranger, before = Stranger(random.Random(seed)), listing(place)
    for _ in range(times):
        words = stranger.words()
        check(say(*words), words)
    assert listing(place) == before


def test_hostile_words_are_taken_or_refused(say: Callable[..., Result], place: Path) -> None:
    molest(say, place, times=60, seed=1)


@pytest.mark.faults
def test_five_thousand_hostile_words_are_taken_or_refused(say: Callable[..., Result], place: Path) -> None:
    molest(say, place, times=5000, seed=2)


@pytest.mark.parametrize("noun", ["runs", "models"])
def test_what_a_registry_holds_is_shown_in_every_form(
    say: Callable[..., Result], place: Path, noun: str
) -> None:
    for form in FORMS:
        words = [noun, "list", *form]
        check(say(*words), words)
    check(say(noun, "show", "r1" if noun == "runs" else "de-en"), ["show"])
    [record] = json.loads(say(noun, "list", "--json").stdout)
    assert json.loads(say(noun, "list", "--format", "jsonl").stdout) == record
    assert record["task"] == EVIL
    rows = list(csv.reader(io.StringIO(say(noun, "list", "--format", "csv").stdout)))
    assert EVIL in rows[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_csv_on_a_terminal_is_not_obeyed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqloom.cli.output import ListForm, print_list

    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    print_list(ListForm.CSV, ("a",), [(EVIL,)], [])
    assert r"\x1b[31mred" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_usage_errors_are_told_once_and_as_before(say: Callable[..., Any]) -> None:
    told = say("runs", "list", "--\x1b[31m").stderr
    assert told.startswith("Usage: ")
    assert told.count("Error: ") == 1
    assert r"\x1b[31m" in told
    assert say("runs", "--no-such").exit_code == 2
    assert say().exit_code == 2
