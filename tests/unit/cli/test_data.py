"""``seqloom data check``: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from typer.testing import Result

Seqloom = Callable[..., Result]


def test_tables(seqloom: Seqloom, workplace: Any) -> None:
    (workplace.folder / "valid.src").write_text("0 1 2 3 4 5 x\n" * 6)
    lengths, findings = seqloom("data", "check", workplace.job).stdout.split("\n\n")
    assert " ".join(lengths.splitlines()[0].split()) == "split slot examples least median p95 p99 most"
    assert lengths.splitlines()[1].split()[:3] == ["train", "source", "40"]
    assert findings.splitlines()[0].split() == ["split", "finding", "examples", "first"]
    row = next(line for line in findings.splitlines() if "tokens of source outside" in line)
    assert row.split()[0] == "valid"
    assert row.endswith(f"6         {workplace.folder / 'valid.src'}:1".rstrip())


def test_json(seqloom: Seqloom, workplace: Any) -> None:
    found = json.loads(seqloom("data", "check", workplace.job, "--json", "--set=data.test=null").stdout)
    assert [row["slot"] for row in found["lengths"]] == ["source", "target"] * 2
    assert all(set(one) == {"split", "kind", "count", "first"} for one in found["findings"])


def test_nothing_to_tell(seqloom: Seqloom, workplace: Any) -> None:
    for name, text in {"train": "1 2\n3\n", "valid": "1\n", "test": "2\n"}.items():
        for ending in ("src", "tgt"):
            (workplace.folder / f"{name}.{ending}").write_text(text)
    result = seqloom("data", "check", workplace.job)
    assert "nothing else to tell" in result.stderr
    assert "finding" not in result.stdout


def test_a_missing_file(seqloom: Seqloom, workplace: Any) -> None:
    (workplace.folder / "test.src").unlink()
    assert "no file 'test.src'" in seqloom("data", "check", workplace.job, code=65).stderr
