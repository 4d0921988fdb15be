"""The summarization demo, made small: reports, a training, headlines, and commands that work."""

from __future__ import annotations

import json
import random
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom_summarization import demo
from seqloom_summarization.reports import ELSE, NEWS, Names, names, reports
from seqloom_summarization.sentences import sentences

SMALLER = {
    "width: 64": "width: 8",
    "hidden: 96": "hidden: 8",
    "hidden: 48": "hidden: 8",
    "hidden: 128": "hidden: 8",
}


def test_names_are_parted_and_there_once() -> None:
    known, new = names(random.Random(1), 0.2)
    for some, others in ((known.towns, new.towns), (known.families, new.families)):
        assert len({*some, *others}) == len(some) + len(others) == 24 * 9 * 8
        assert len(others) / len(some) == pytest.approx(0.25, rel=0.01)


def test_a_seed_says_all() -> None:
    known, _ = names(random.Random(1), 0.2)
    once, again, other = (list(islice(reports(random.Random(seed), known), 20)) for seed in (1, 1, 2))
    assert once == again != other


def counted(said: Sequence[str], templates: Sequence[str]) -> int:
    """How many sentences are made of one of the templates."""
    patterns = [re.sub(r"\{\w+\}", ".+", template.replace(".", r"\.")) for template in templates]
    return sum(any(re.fullmatch(pattern, one, re.IGNORECASE) for pattern in patterns) for one in said)


def test_one_of_four_sentences_is_news_and_the_headline_is_of_it() -> None:
    known = Names(["Belaby"], ["Korbert"])
    beginnings = set()
    for report in islice(reports(random.Random(1), known), 400):
        said = sentences(report.text)
        assert (len(said), counted(said, [event for event, _ in NEWS]), counted(said, ELSE)) == (4, 1, 3)
        assert not re.search(r"[{}]|  ", report.text + report.headline)
        beginnings.add(report.headline.split()[0])
        words = set(re.findall(r"\w+", report.text.lower()))
        own = {"fire", "destroys", "flood", "closes", "elected", "of", "wins", "opens", "in", "to", "close"}
        own |= {"found", "near", "stolen", "on", "strike", "rescued", "from", "new"}
        assert set(re.findall(r"\w+", report.headline.lower())) <= words | own
    assert beginnings >= {"Fire", "Flood", "New", "Belaby", "Nurses", "A", "Ada"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    job = re.sub(r"steps: \d+", "steps: 2", re.sub(r"every: \d+", "every: 2", demo.JOB))
    for value, smaller in SMALLER.items():
        assert value in job
        job = job.replace(value, smaller)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("TRAIN", 64), ("VALID", 4), ("TEST", 6)):
            patch.setattr(demo, name, size)
        patch.setattr(demo, "JOB", job.replace("max_length_offset: 30", "max_length_offset: 8"))
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield folder


def seqloom(*words: str) -> Result:
    result = CliRunner().invoke(build_app(Catalog.from_environment()), words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def shown(place: Path) -> Result:
    return seqloom("demo", "summarization", "--folder", "my demo")


def test_it_says_what_the_lead_scores_beside_the_model(shown: Result) -> None:
    assert shown.stderr.startswith("reports: 64 for training, 4 for validation, 6 for the test\n")
    assert "test headlines that occur in training: 0" in shown.stderr
    told = re.findall(r"^test (\S+) [\d.]+ \(.+\)$", shown.stderr, re.MULTILINE)
    rouge = ["rouge1", "rouge2", "rougel"]
    assert told == ["ppl", "accuracy", *rouge, *(f"lead/{name}" for name in rouge)]


def test_test_reports_are_of_towns_that_no_other_names(shown: Result, place: Path) -> None:
    folder = place / "my demo" / "summarization"
    splits = {
        name: (folder / f"{name}.jsonl").read_text().splitlines() for name in ("train", "valid", "test")
    }
    assert [len(lines) for lines in splits.values()] == [64, 4, 6]
    known, new = names(random.Random(1), demo.UNSEEN)
    for name, own in (("train", known), ("test", new)):
        others = (new if own is known else known).towns
        for line in splits[name]:
            words = set(re.findall(r"\w+", json.loads(line)["text"]))
            assert not words & set(others)


def test_the_commands_to_try_next_work(shown: Result) -> None:
    commands = [shlex.split(line)[1:] for line in shown.stdout.splitlines()]
    assert len(seqloom(*commands[0]).stdout.splitlines()) == 1
    assert len(seqloom(*commands[1]).stdout.splitlines()) == 1
    assert "lead" in seqloom(*commands[2]).stdout.splitlines()[0]
