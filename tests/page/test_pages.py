"""The pages of models and of comparisons, and what no page lets through."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqloom.page.app import create_app
from seqloom.page.card import read_card
from seqloom.page.configuration import sections, settings
from seqloom.page.lineage import Node, draw
from seqloom.page.wording import ago, duration, figure, size, whole
from seqloom.registry.records import Run, Score
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
    assert sorted(set(kinds)) == ["data", "evaluate", "model", "predictions", "train"]
    assert kinds.count("data") == 4
    assert text.count('class="node model here"') == 1
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


# Lineage -----------------------------------------------------------------------------------------------


def test_the_lineage_of_a_run(client: TestClient, run_of: Callable[[str], Run]) -> None:
    run = run_of("kind = 'evaluate'")
    page = client.get(f"/runs/{run.id}").text
    [address] = re.findall(r'hx-get="(/lineage[^"]+)"', page)
    text = client.get(unescape(address)).text
    assert 'class="node evaluate here"' in text
    assert 'class="node predictions"' in text
    for href in set(re.findall(r'<a href="([^"]+)"', text)):
        assert client.get(unescape(href)).status_code == 200
    assert client.get("/lineage?of=nobody").status_code == 404
    assert client.get("/lineage").status_code == 400


# Comparisons -------------------------------------------------------------------------------------------


def test_runs_side_by_side(client: TestClient, shown: tuple[str, Path]) -> None:
    with Registry(shown[0]) as registry:
        runs = registry.runs("kind = 'train' and task = 'translation' and status = 'finished'", 3)
    text = client.get("/compare", params={"run": [run.id for run in runs]}).text
    assert len(re.findall(r"<line-chart", text)) == 9
    assert "train.seed" in text
    assert "train.steps" not in text.partition('id="config"')[2]
    assert "git.commit" in text


def scored(metric: str, value: float, *, signature: str = "s", step: int = 1) -> Score:
    return Score(metric=metric, value=value, split="valid", step=step, signature=signature)


def test_the_newest_scores_stand_side_by_side_and_the_best_is_marked(
    registry: Registry, start: Callable[..., Run], tmp_path: Path
) -> None:
    values = {"a": (31.25, 9.0, 1.0), "b": (35.5, 5.0, 1.0), "c": (float("nan"), 7.0, 1.0)}
    for name, (bleu, ppl, same) in values.items():
        start(id=name, name=name, folder="")
        registry.add_scores(
            name,
            [scored("bleu", 99.0, step=0), scored("bleu", bleu), scored("ppl", ppl), scored("odd", same)],
        )
    app = create_app(
        f"sqlite:///{tmp_path / 'registry.db'}", tmp_path, higher_is_better={"bleu": True, "odd": True}
    )
    text = TestClient(app, base_url="http://127.0.0.1").get("/compare?run=a&run=b&run=c").text
    cells = re.findall(r'<td class="figure( best)?">([\d.–]+)', text)
    assert cells == [
        *[("", "31.250"), (" best", "35.500"), ("", "–")],
        *[("", "1.000"), ("", "1.000"), ("", "1.000")],
        *[("", "9.000"), (" best", "5.000"), ("", "7.000")],
    ]  # fmt: skip


def test_what_is_measured_otherwise_does_not_stand_side_by_side(
    asking: TestClient, registry: Registry, start: Callable[..., Run]
) -> None:
    for name, signature in (("a", "13a"), ("b", "intl")):
        start(id=name, name=name, folder="")
        registry.add_scores(name, [scored("bleu", 30.0, signature=signature)])
    text = asking.get("/compare?run=a&run=b").text
    assert "No two of them have a score that may be compared" in text
    assert "another signature: intl" in text
    assert "All settings are the same" in text


def test_models_side_by_side(client: TestClient) -> None:
    text = client.get("/compare?run=models:/de-en/1&run=de-en@candidate&run=de-en/1").text
    assert "<h1>2 compared</h1>" in text
    assert 'href="/models/de-en/1">de-en/1</a>' in text
    assert len(re.findall(r"<line-chart", text)) == 9  # of the runs that made them
    assert text.count('<th scope="row">bleu</th>') == 2  # of valid, and of the evaluations on test


@pytest.mark.parametrize(
    "asked", ["", "run=a", "run=a&run=a", "&".join(f"run={number}" for number in range(9))]
)
def test_too_few_or_too_many(client: TestClient, asked: str) -> None:
    answer = client.get(f"/compare?{asked}")
    assert answer.status_code == 400
    assert "from 2 to 8 runs or models" in answer.text


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
    for path in (
        "/runs",
        f"/runs/{run.id}",
        f"/runs/{run.id}/live",
        f"/compare?run={run.id}&run=other",
        f"/lineage?of=run:{run.id}",
    ):
        answer = asking.get(path)
        assert answer.status_code == 200, path
        assert len(re.findall(r"<script|<img", answer.text)) == (0 if "/li" in path else ordinary)
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
                 f"/static/{sign}", f"/runs?where={sign}", f"/runs?after={sign}", f"/models?where={sign}", f"/compare?run={sign}&run=2", f"/lineage?of={sign}"):  # fmt: skip
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


def test_a_drawing_goes_from_left_to_right() -> None:
    kinds = {"r": "train", "m": "model", "e": "evaluate", "p": "predictions", "tuned": "train"}
    nodes = [Node(f"d{number}", "data", f"d{number}") for number in range(3)]
    nodes += [Node("test", "data", "test"), *(Node(name, kind, name) for name, kind in kinds.items())]
    edges = [
        ("d0", "r"),
        ("d1", "r"),
        ("d2", "r"),
        ("r", "m"),
        ("m", "e"),
        ("test", "e"),
        ("e", "p"),
        ("m", "tuned"),
    ]
    drawing = draw(nodes, [*edges, ("m", "nobody"), ("m", "m")])
    places = {box.node.id: (box.x, box.y) for box in drawing.boxes}
    assert len(set(places.values())) == len(nodes)
    assert len(drawing.paths) == len(edges)
    for start, end in edges:
        assert places[start][0] < places[end][0]
    assert places["test"][0] == places["m"][0]  # just before what read it
    assert all(0 <= x < drawing.width and 0 <= y < drawing.height for x, y in places.values())


def test_edges_of_a_drawing_do_not_cross_where_they_need_not() -> None:
    nodes = [Node(f"{kind}{number}", "run", "x") for kind in "abc" for number in range(6)]
    edges = [(f"a{number}", f"b{5 - number}") for number in range(6)]
    edges += [(f"b{number}", f"c{(number + 3) % 6}") for number in range(6)]
    heights = {box.node.id: box.y for box in draw(nodes, edges).boxes}
    assert all(heights[start] == heights[end] for start, end in edges)


def test_circles_and_nothing_can_be_drawn() -> None:
    nodes = [Node(name, "run", name) for name in "abcd"]
    circle = draw(nodes, [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])
    assert len({(box.x, box.y) for box in circle.boxes}) == 4
    assert len(circle.paths) == 4
    assert draw([], []).boxes == []
    assert Node("x", "run", "a-label-that-is-longer-than-its-box").short == "a-label-…-than-its-box"


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
