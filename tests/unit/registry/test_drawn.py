from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from family import add_family, add_teacher, add_tuned

from seqloom.registry.drawn import as_mermaid, as_tree, escaped, seen
from seqloom.registry.records import Lineage, LineageNode
from seqloom.registry.store import Registry


@pytest.fixture(scope="module")
def family(new_clock: Callable[[], Callable[[], datetime]]) -> Iterator[Registry]:
    """All of them; an evaluation is deleted."""
    with Registry("sqlite://", clock=new_clock()) as opened:
        add_family(opened)
        opened.delete_run("judging")
        yield opened


def chain(*labels: str, kind: str = "run") -> Lineage:
    """Nodes of which each came from the one before."""
    nodes = tuple(LineageNode(id=str(n), kind=kind, label=label) for n, label in enumerate(labels))
    edges = tuple((str(n), str(n + 1)) for n in range(len(nodes) - 1))
    return Lineage(nodes=nodes, edges=edges, about="0")


def test_a_tree_of_a_model(family: Registry) -> None:
    assert (
        as_tree(family.lineage("teacher"))
        == """\
model teacher/1  champion, 2026-11-21 00:03:00, valid bleu 30.00

came from
└─ checkpoint checkpoints/00000200  5,000 bytes, sha256 c200
   └─ train teaching  de-en, 2026-11-21 00:00:00
      ├─ data train.de  train, 20 rows, 1,000 bytes, sha256 aaaaaaaaaaaa
      └─ data train.en  train, 900 bytes, sha256 bbbbbbbbbbbb

led to
├─ evaluate judging  de-en, 2026-11-21 00:06:00, test bleu 29.50, wer 7.25, deleted 2026-11-21 00:18:00
└─ decode telling  de-en, 2026-11-21 00:08:00
   └─ predictions mono.en  77 bytes, sha256 ffffffffffff
      └─ data mono.en  train, 77 bytes, sha256 ffffffffffff
         └─ train learning  student, 2026-11-21 00:11:00
            └─ model student/1  2026-11-21 00:12:00
               └─ train tuning  tuned, running, 2026-11-21 00:14:00
                  └─ model tuned/1  2026-11-21 00:15:00
                     └─ evaluate judging-tuned  de-en, 2026-11-21 00:16:00, test bleu 29.50, wer 7.25"""
    )


def test_a_tree_without_branches(registry: Registry) -> None:
    registry.add_model("old", "translation", None, "/x", "m", [])

    lines = as_tree(registry.lineage("old")).splitlines()
    assert lines[1:] == ["", "came from nothing that is known", "", "led to nothing that is known"]


def test_what_is_there_twice_is_told_once(registry: Registry) -> None:
    add_teacher(registry)
    add_tuned(registry, "one", "models:/teacher/1")
    add_tuned(registry, "two", "models:/tuned/1")

    lines = as_tree(registry.lineage("a" * 64)).splitlines()
    again = [line for line in lines if line.endswith("(see above)")]
    assert [line.lstrip("│ ├└─").split()[1] for line in again] == ["one", "two"]
    assert sum("model tuned/2" in line for line in lines) == 1


def test_a_circle_is_told_once(registry: Registry) -> None:
    add_tuned(registry, "one", "models:/tuned/2")
    add_tuned(registry, "two", "models:/tuned/1")

    lines = as_tree(registry.lineage("tuned/1")).splitlines()
    assert sum("model tuned/2" in line for line in lines) == 2  # came from, and led to


def test_a_long_chain_is_no_trouble() -> None:
    lines = as_tree(chain(*map(str, range(3000)))).splitlines()

    assert lines[-1] == "   " * 2998 + "└─ run 2999"


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert seen("a\nb\x1b[31m\u202e\udc80ä日") == "a\\nb\\x1b[31m\\u202e\\udc80ä日"
    assert len(as_tree(chain("one\ntwo", "three\nfour")).splitlines()) == 6


def test_a_drawing_of_a_run(family: Registry) -> None:
    assert as_mermaid(family.lineage("judging")).splitlines() == [
        "flowchart LR",
        '  n0[("data test.de<br>test, 2 rows, 10 bytes, sha256 dddddddddddd")]',
        '  n1[("data train.de<br>train, 20 rows, 1,000 bytes, sha256 aaaaaaaaaaaa")]',
        '  n2[("data train.en<br>train, 900 bytes, sha256 bbbbbbbbbbbb")]',
        '  n3["train teaching<br>de-en, 2026-11-21 00:00:00"]',
        '  n4["evaluate judging<br>de-en, 2026-11-21 00:06:00, test bleu 29.50, wer 7.25, '
        'deleted 2026-11-21 00:18:00"]',
        '  n5[["checkpoint checkpoints/00000200<br>5,000 bytes, sha256 c200"]]',
        '  n6(["model teacher/1<br>champion, 2026-11-21 00:03:00, valid bleu 30.00"])',
        "  n0 --> n4",
        "  n1 --> n3",
        "  n2 --> n3",
        "  n3 --> n5",
        "  n5 --> n6",
        "  n6 --> n4",
        "  classDef about stroke-width:4px",
        "  classDef deleted stroke-dasharray:4 4",
        "  class n4 about",
        "  class n4 deleted",
    ]


HOSTILE = [
    *(
        '"]',
        "a\nend\n",
        "<script>alert(1)</script>",
        "#quot;",
        "&amp;",
        "`code`",
        "**x**",
        "%%{init: {}}%%",
    ),
    *(
        "ﬂ°°35¶ß",
        "a\\b",
        "{x}(y)|z|",
        "a;b",
        "$$x$$",
        "\u202etxt",
        "\x00",
        "]--> n1",
        "end",
        "click n0 x()",
    ),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_label_means_anything(text: str) -> None:
    drawn = escaped(text)

    assert re.fullmatch(r"(\w|[ .,:/@+=-]|#[0-9]+;)*", drawn)
    assert not re.search("[ﬂ°¶ß]", drawn)
    assert html.unescape(re.sub(r"#([0-9]+);", r"&#\1;", drawn)) == seen(text)
    for kind in ("run", "data", "model", "checkpoint", "predictions", "more", text):
        lines = as_mermaid(chain(text, text, kind=kind)).splitlines()
        assert len(lines) == 7
        assert all(line.count('"') == 2 for line in lines[1:3])


def test_a_label_is_never_empty() -> None:
    assert '  n0["more"]' in as_mermaid(chain("", kind="more"))
