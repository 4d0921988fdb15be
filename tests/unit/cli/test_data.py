"""``seqloom data check``: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PIL import Image
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


def test_measures_and_tags(seqloom: Seqloom, workplace: Any) -> None:
    """What there is none of has no table."""
    for name, colour in (("white", 255), ("grey", 130)):
        image = Image.new("L", (8, 8), colour)
        image.putpixel((3, 3), 120)
        image.save(workplace.folder / f"{name}.png")
    rows = ["path\ttext\twho", "white.png\ta\tann", "grey.png\tb\tbob"]
    for name in ("train", "valid"):
        (workplace.folder / f"{name}.tsv").write_text("\n".join(rows[: 3 if name == "train" else 2]))
    table = "{file: %s.tsv, columns: {source: path, target: text}, tags: {painter: who}}"
    result = seqloom(
        *("data", "check", workplace.job, "--set", "inputs={source: {name: image, size: 8}}"),
        *("--set", "tokenizers={target: byte}", "--set", "data.test=null"),
        *(word for name in ("train", "valid") for word in ("--set", f"data.{name}={table % name}")),
    )
    lengths, measures, tags, findings = result.stdout.split("\n\n")
    assert lengths.splitlines()[3].split() == ["valid", "source", "1", *["1"] * 5]
    assert [line.split() for line in measures.splitlines()] == [
        ["split", "slot", "measure", "inputs", "total", "least", "median", "most"],
        ["train", "source", "contrast", "2", "10.00", "10.00", "135.00"],
        ["valid", "source", "contrast", "1", "135.00", "135.00", "135.00"],
    ]
    assert [line.split() for line in tags.splitlines()] == [
        ["split", "tag", "values", "least", "median", "most"],
        ["train", "painter", "2", "1", "1", "1"],
        ["valid", "painter", "1", "1", "1", "1"],
    ]
    assert "train.tsv:3: grey.png: contrast 10" in findings
    assert "valid.tsv:2: ann" in findings


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
