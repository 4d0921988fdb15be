"""The pages of models and of comparisons, and what no page lets through."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqloom.page.card import read_card
from seqloom.page.configuration import differences, sections, settings
from seqloom.page.lineage import Node, draw
from seqloom.page.wording import ago, duration, figure, size, whole
from seqloom.registry.records import Run
from seqloom.registry.store import Registry

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' or 1=1 --", "{{ 7*7 }}{% raw %}", "../../etc/passwd",
    "%2e%2e%2f", "\u202egnp.exe", "x" * 300, "line\nbreak", "a&b=c;d#e?f", "\\", "`tick`", "日本語",
)  # fmt: skip


# Models ------------------------------------------------------------------------------------------------


def test_a_model_with_all_that_hangs_on_it(client: TestClient) -> None:
    answer = client.get("/models/de-en@champion")
    assert answer.url.path == "/models/de-en/1"
    text = answer.text
    for said in ("@champion", "reviewed=yes", "numbers in dates", "29,000 pairs", "given to version 1"):
        assert said in text
    kinds = re.findall(r'class="node (\w+)', text)
    assert kinds.count("data") == 4
    assert kinds.count("evaluation") == 1
    assert {"run", "model"} <= set(kinds)
    for href in re.findall(r'<a href="([^"]+)" class="node', text):
        assert client.get(unescape(href)).status_code == 200
    assert "moved from version" in text


def test_a_card_can_do_nothing(client: TestClient) -> None:
    card = client.get("/models/de-en/1").text.partition('<div class="card">')[2]
    assert "&lt;script&gt;" in card
    assert "<script" not in card
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', card))
    assert "<img" not in card
    assert "license:" not in card
    assert "<th>" in card or "<td>" in card


@pytest.mark.parametrize(
    "name", ["nobody", "de-en/99", "de-en/x", "de-en@nobody", "..%2f..", "de-en/..%2f1", "x" * 300]
)
def test_no_such_model(client: TestClient, name: str) -> None:
    assert client.get(f"/models/{name}").status_code == 404


def test_a_card_outside_of_its_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "README.md").symlink_to(tmp_path / "secret")
    assert read_card(tmp_path / "model") is None


def test_a_version_that_was_deleted_says_so(asking: TestClient, registry: Registry, tmp_path: Path) -> None:
    model = registry.add_model("gone", "translation", None, str(tmp_path / "nowhere"), 64 * "0", [])
    registry.delete_model(model.uri)
    text = asking.get("/models/gone/1").text
    assert "Deleted at" in text
    assert "is not there any more" in text
    assert "gone" not in asking.get("/models").text.partition("<main")[2]


# Comparisons -------------------------------------------------------------------------------------------


def test_runs_side_by_side(client: TestClient, shown: tuple[str, Path]) -> None:
    with Registry(shown[0]) as registry:
        runs = registry.runs("kind = 'train' and task = 'translation' and status = 'finished'", 3)
    text = client.get("/compare", params={"run": [run.id for run in runs]}).text
    assert len(re.findall(r"<line-chart", text)) == 9
    bleu = next(
        row for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) if '<th scope="row">bleu</th>' in row
    )
    for run in runs:
        newest = max(
            (score for score in run.scores if score.metric == "bleu"), key=lambda score: score.step
        )
        assert f"{newest.value:.3f}" in bleu
    assert "train.seed" in text
    assert "train.steps" not in text.partition('id="config"')[2]


def test_scores_of_other_signatures_do_not_stand_side_by_side(
    asking: TestClient, registry: Registry, start: Callable[..., Run]
) -> None:
    from seqloom.registry.records import Score

    for name, signature in (("a", "13a"), ("b", "intl")):
        start(id=name, name=name, folder="")
        registry.add_scores(
            name, [Score(metric="bleu", value=30.0, split="valid", step=1, signature=signature)]
        )
    text = asking.get("/compare?run=a&run=b").text
    assert text.count('<th scope="row">bleu</th>') == 2
    assert "All settings are the same" in text


@pytest.mark.parametrize(
    "asked", ["", "run=a", "run=a&run=a", "&".join(f"run={number}" for number in range(9))]
)
def test_too_few_or_too_many(client: TestClient, asked: str) -> None:
    answer = client.get(f"/compare?{asked}")
    assert answer.status_code == 400
    assert "from 2 to 8 runs" in answer.text


def test_a_run_that_is_not_there_cannot_be_compared(client: TestClient) -> None:
    assert client.get("/compare?run=nobody&run=nothing").status_code == 404


# What no page lets through -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_any_signs(
    asking: TestClient, registry: Registry, start: Callable[..., Run], text: str
) -> None:
    run = start(
        name=text,
        task=text,
        device=text,
        device_reason=text,
        config={text: {text: [text]}, "deep": _deep(200)},
    )
    start(id="other", name=text, folder="")
    if text.isprintable():
        registry.note_run(run.id, f"note {text}")
    registry.add_event(run.id, "odd", {text: text, "reason": text})
    registry.end_run(run.id, "failed", text)
    ordinary = len(re.findall(r"<script|<img", asking.get("/static/none").text))
    for path in ("/runs", f"/runs/{run.id}", f"/runs/{run.id}/live", f"/compare?run={run.id}&run=other"):
        answer = asking.get(path)
        assert answer.status_code == 200, path
        assert len(re.findall(r"<script|<img", answer.text)) == (0 if path.endswith("live") else ordinary)
        assert "onerror=alert(1)>" not in answer.text
        for href in re.findall(r'href="([^"]+)"', answer.text):
            assert href.startswith(("/", "#")), href
    table = asking.get("/runs").text.partition("<tbody")[2]
    for href in re.findall(r'href="(/runs[^"]+)"', table):
        assert asking.get(unescape(href)).status_code == 200, href


@pytest.mark.parametrize("text", HOSTILE)
def test_addresses_of_any_signs(client: TestClient, text: str) -> None:
    from urllib.parse import quote

    sign = quote(text, safe="")
    for path in (f"/{sign}", f"/runs/{sign}", f"/runs/{sign}/live", f"/models/{sign}", f"/models/{sign}/{sign}",
                 f"/static/{sign}", f"/runs?where={sign}", f"/runs?after={sign}", f"/models?where={sign}", f"/compare?run={sign}&run=2"):  # fmt: skip
        answer = client.get(path)
        assert 400 <= answer.status_code < 500, path
        assert "<img src=x" not in answer.text
        assert "<script>alert" not in answer.text
        assert "root:" not in answer.text


def _deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"x": value}
    return value


# Parts -------------------------------------------------------------------------------------------------


def test_settings_of_a_configuration() -> None:
    config = {"a": 1, "b": {"c": [True, None, "x"], "d": {}}, "e": {"f": 0.5}}
    assert [(one.path, one.value) for one in settings(config)] == [
        ("a", "1"), ("b.c.0", "true"), ("b.c.1", "null"), ("b.c.2", '"x"'), ("b.d", "{}"), ("e.f", "0.5"),
    ]  # fmt: skip
    assert list(sections(config)) == ["", "b", "e"]
    other = {"a": 1, "b": {"c": [True], "d": {}}, "e": {"f": 1.5}}
    assert [(row.path, *row.values) for row in differences([config, other])] == [
        ("b.c.1", "null", None), ("b.c.2", '"x"', None), ("e.f", "0.5", "1.5"),
    ]  # fmt: skip


def test_a_drawing_goes_from_left_to_right() -> None:
    nodes = [
        Node("m", "model", "m"),
        *(Node(f"d{n}", "data", f"d{n}") for n in range(3)),
        Node("r", "run", "r"),
        Node("e", "evaluation", "a-label-that-is-longer-than-its-box"),
    ]
    drawing = draw(nodes, [("d0", "r"), ("d1", "r"), ("d2", "r"), ("r", "m"), ("m", "e"), ("m", "nobody")])
    places = {box.node.id: (box.x, box.y) for box in drawing.boxes}
    assert places["d0"][0] < places["r"][0] < places["m"][0] < places["e"][0]
    assert places["d1"][1] == places["r"][1] == places["m"][1]
    assert len(set(places.values())) == len(nodes)
    assert len(drawing.paths) == 5
    assert all(0 <= x < drawing.width and 0 <= y < drawing.height for x, y in places.values())
    assert len(nodes[-1].short) == 23
    assert draw([], []).boxes == []


def test_figures_and_times() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert [figure(value) for value in (31.2, 0.0041, -2.0, 0.0, 1.2e9, float("nan"))] == ["31.20", "0.0041", "−2.00", "0.00", "1.2e+09", "–"]  # fmt: skip
    assert [size(value) for value in (12, 2048, 3 * 2**30)] == ["12 bytes", "2.0 KiB", "3.0 GiB"]
    assert whole(1234567) == "1\u202f234\u202f567"
    assert [ago(now - timedelta(**by), now) for by in ({"seconds": 9}, {"minutes": 1}, {"hours": 30}, {"days": 800})] == ["just now", "1 minute ago", "1 day ago", "2 years ago"]  # fmt: skip
    assert [duration(now, now + timedelta(seconds=s)) for s in (0, 61, 7200, 90_000)] == [
        "0 s",
        "1 min 1 s",
        "2 h",
        "1 d 1 h",
    ]
