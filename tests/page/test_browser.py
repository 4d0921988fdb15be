"""Clicks through the page in a real Chromium, and looks at what is drawn."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import exhibits
import made_samples
import pytest
from browsing import Watched, is_drawn, points, served
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seqloom.registry.records import Run
from seqloom.registry.store import Registry

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
POLL_MS = 4000
FINISHED = "kind = 'train' and status = 'finished' and task = "

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def place(shown: tuple[str, Path]) -> Iterator[str]:
    """The address of a page full of exhibits."""
    with served(*shown) as address:
        yield address


@pytest.fixture
def watched(browser: Browser, place: str) -> Iterator[Watched]:
    watching = Watched(browser, place)
    yield watching
    for context in watching.contexts:
        context.close()
    assert watching.wrong == []


# Tables ------------------------------------------------------------------------------------------------


def test_a_query_with_a_mistake_and_a_right_one(watched: Watched) -> None:
    page = watched.open("/runs")
    page.fill("#where", "task = 'speech' and statu = 'finished'")
    page.press("#where", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean 'status'?")
    selected = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert selected == ["where", 20]
    page.keyboard.type("status")  # in the place of the character pointed at
    page.fill("#where", "task = 'speech' and status = 'finished' order by wer")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    errors = [float(text) for text in page.locator("td[data-label=wer]").all_inner_texts()]
    assert errors
    assert errors == sorted(errors)
    page.get_by_role("columnheader", name="wer").get_by_role("link").click()
    expect(page.locator("#where")).to_have_value(
        "task = 'speech' and status = 'finished' order by wer desc"
    )


def test_the_next_page_and_the_first(watched: Watched) -> None:
    page = watched.open("/runs")
    first = page.locator("tbody .name").first.get_attribute("href")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**after=*")
    assert page.locator("tbody .name").first.get_attribute("href") != first
    page.get_by_role("link", name="First page").click()
    expect(page.locator("tbody .name").first).to_have_attribute("href", str(first))


def test_running_runs_keep_up(browser: Browser, tmp_path: Path) -> None:
    url, runs = exhibits.make_exhibits(tmp_path, runs=1)
    with served(url, runs) as address, Registry(url) as registry:
        watching = Watched(browser, address)
        page = watching.open("/runs")
        expect(page.locator(".status.running")).to_have_count(1)
        box = page.locator("input[name=run]")
        box.check()
        registry.end_run(registry.runs(limit=1)[0].id, "finished")
        page.clock.fast_forward(POLL_MS)
        expect(page.locator(".status.finished")).to_have_count(1)  # asked for again by itself
        expect(box).to_be_checked()
        watching.contexts[0].close()
        assert watching.wrong == []


# A run -------------------------------------------------------------------------------------------------


def test_curves_grow_while_it_trains(browser: Browser, tmp_path: Path) -> None:
    url, runs = exhibits.make_exhibits(tmp_path, runs=1)
    with served(url, runs) as address, Registry(url) as registry:
        run = registry.runs(limit=1)[0]
        watching = Watched(browser, address)
        asked: list[str] = []
        page = watching.open(f"/runs/{run.id}")
        page.on(
            "request", lambda request: asked.append(request.url) if request.url.endswith("/live") else None
        )
        loss = page.locator("line-chart").first
        before, drawn = points(loss), loss.locator("path.curve").get_attribute("d")
        loss.locator(".plot").focus()
        page.keyboard.press("Home")
        with (Path(run.folder) / "metrics.jsonl").open("a") as stream:
            for step in range(1000, 2000, 20):
                stream.write(json.dumps(exhibits.line(step, random.Random(1))) + "\n")
        page.clock.fast_forward(POLL_MS)
        expect(page.locator(".strip")).to_contain_text("1\u202f980")
        assert points(loss) == before + 50
        assert loss.locator("path.curve").get_attribute("d") != drawn
        expect(loss.locator(".tip")).to_contain_text("step 20")  # what one points at stays
        assert page.evaluate("document.activeElement.className") == "plot"
        for turn in (2, 3, 4):  # one question at a time, however often it was answered
            with page.expect_response("**/live"):
                page.clock.fast_forward(POLL_MS)
            page.wait_for_function("() => !document.querySelector('.htmx-request')")
            assert len(asked) == turn
        registry.end_run(run.id, "finished")
        page.clock.fast_forward(POLL_MS)
        expect(page.locator(".status.finished")).to_have_count(1)
        page.clock.fast_forward(9 * POLL_MS)
        page.evaluate("fetch('/models')")  # what was asked before this was asked by now
        assert len(asked) == 5  # and none after the end
        watching.contexts[0].close()
        assert watching.wrong == []


def test_a_chart_tells_its_values(watched: Watched, run_of: Callable[[str], Run]) -> None:
    page = watched.open(f"/runs/{run_of(FINISHED + repr('translation')).id}")
    chart = page.locator("line-chart").nth(1)
    plot = chart.locator(".plot")
    assert str(plot.get_attribute("aria-label")).startswith("bleu. bleu: ")
    plot.hover()
    expect(chart.locator(".tip")).to_be_visible()
    plot.focus()
    page.keyboard.press("End")
    expect(plot).to_have_attribute("aria-valuenow", "8000")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuenow", "7000")
    assert str(plot.get_attribute("aria-valuetext")).startswith("step 7000: bleu ")
    page.keyboard.press("Escape")
    expect(chart.locator(".tip")).to_be_hidden()
    before = chart.locator("path.curve").get_attribute("d")
    chart.get_by_role("button", name="log").click()
    assert chart.locator("path.curve").get_attribute("d") != before


def test_what_a_translation_looked_at(watched: Watched, run_of: Callable[[str], Run]) -> None:
    page = watched.open(f"/runs/{run_of(FINISHED + repr('translation')).id}")
    sample = page.locator(".sample").first
    expect(sample).to_contain_text("ein kleiner hund")
    sample.get_by_text("Attention").click()
    heat = sample.locator("heat-map")
    expect(heat.locator(".said")).to_contain_text("Strongest: 0.")
    assert is_drawn(heat.locator("canvas"))
    heat.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(heat.locator(".said")).to_contain_text("small → ein: 0.")
    page.get_by_role("link", name="step 4").click()
    expect(page.locator(".steps [aria-current]")).to_contain_text("4\u202f000")


def test_captions_with_their_pictures(watched: Watched, run_of: Callable[[str], Run]) -> None:
    page = watched.open(f"/runs/{run_of(FINISHED + repr('captioning')).id}")
    sample = page.locator(".sample").first
    sample.scroll_into_view_if_needed()
    picture = sample.locator("img").first
    expect(picture).to_be_visible()
    page.wait_for_function(
        "image => image.complete && image.naturalWidth === 420", arg=picture.element_handle()
    )
    expect(sample).to_contain_text("a sun sets over the hill")
    sample.get_by_text("Attention").click()
    word = sample.get_by_role("button", name="sets")
    word.focus()
    expect(word).to_have_attribute("aria-pressed", "true")
    expect(sample.locator(".said")).to_contain_text("of 7")
    assert is_drawn(sample.locator("heat-map canvas"))


def test_recordings_with_their_transcripts(watched: Watched, run_of: Callable[[str], Run]) -> None:
    page = watched.open(f"/runs/{run_of(FINISHED + repr('speech')).id}")
    sample = page.locator(".sample").first
    expect(sample).to_contain_text("enter forty three")
    seconds = sample.locator("audio").evaluate(
        """audio => new Promise(done => {
            audio.onloadedmetadata = () => done(audio.duration);
            audio.onerror = () => done(-1);
            audio.load();
            audio.preload = "metadata";
        })"""
    )
    assert seconds == pytest.approx(1.5, abs=0.01)
    sample.get_by_text("Attention").click()
    expect(sample.locator("heat-map .said")).to_be_visible()
    assert is_drawn(sample.locator("heat-map canvas"))


def test_the_configuration_is_searched(watched: Watched, run_of: Callable[[str], Run]) -> None:
    page = watched.open(f"/runs/{run_of(FINISHED + repr('translation')).id}")
    rows = page.locator("#settings tr:visible")
    assert rows.count() > 20
    page.fill("#sift", "encoder dropout")
    expect(rows).to_have_count(1)
    page.fill("#sift", "nothing of the kind")
    expect(page.get_by_text("No setting is called that")).to_be_visible()
    page.fill("#sift", "")
    page.locator("summary", has_text="train").click()
    expect(page.locator("#settings").get_by_text("train.seed")).to_be_hidden()


# Models and comparisons --------------------------------------------------------------------------------


def test_from_a_model_to_the_run_that_made_it(watched: Watched) -> None:
    page = watched.open("/models")
    page.get_by_role("link", name="de-en/1", exact=True).click()
    expect(page.get_by_role("heading", name="de-en/1")).to_be_visible()
    expect(page.locator(".card")).to_contain_text("29,000 pairs")
    node = page.locator(".lineage a.node.train")
    box, inner = node.locator("rect").bounding_box(), node.locator("text").nth(1).bounding_box()
    assert box is not None
    assert inner is not None
    assert box["x"] < inner["x"]
    assert inner["x"] + inner["width"] < box["x"] + box["width"]  # its label is within its box
    node.click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("line-chart")).to_have_count(9)


def test_runs_are_chosen_and_compared(watched: Watched) -> None:
    page = watched.open("/runs?where=" + FINISHED.replace(" ", "+") + "'translation'")
    boxes = page.locator("input[name=run]")
    boxes.nth(0).check()
    button = page.get_by_role("button", name="Compare")
    expect(button).to_be_disabled()
    boxes.nth(1).check()
    expect(page.locator("#picked")).to_contain_text("2 runs chosen")
    button.click()
    expect(page.get_by_role("heading", name="2 compared")).to_be_visible()
    loss = page.locator("line-chart").first
    expect(loss.locator("path.curve")).to_have_count(2)
    expect(loss.locator(".legend li")).to_have_count(2)
    dashes = [
        path.evaluate("path => getComputedStyle(path).strokeDasharray")
        for path in loss.locator("path.curve").all()
    ]
    assert len(set(dashes)) == 2  # told apart without colours
    expect(page.locator("section", has=page.locator("#config"))).to_contain_text("train.seed")


# For everybody -----------------------------------------------------------------------------------------


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_light_and_dark(watched: Watched) -> None:
    light = background(watched.open("/models", color_scheme="light"))
    page = watched.open("/models", color_scheme="dark")
    dark = background(page)
    assert light != dark
    page.get_by_role("button", name="Colours").click()
    assert background(page) == light
    page.reload()
    assert background(page) == light  # it is remembered
    page.get_by_role("button", name="Colours: light").click()
    assert background(page) == dark
    page.emulate_media(color_scheme="light")
    assert background(page) == dark  # whatever the system says
    page.get_by_role("button", name="Colours: dark").click()
    assert background(page) == light  # which counts again


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.open("/runs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#where")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#where")).to_be_focused()
    page.keyboard.type("kind = 'train'")
    page.keyboard.press("Enter")
    page.wait_for_url("**where=*")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("input[name=run]:checked")).to_have_count(2)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/2*")
    focusable = page.evaluate(
        "[...document.querySelectorAll('.plot, .scroll, .stage')].every(one => one.tabIndex === 0)"
    )
    assert focusable


def test_everything_has_a_name(watched: Watched, run_of: Callable[[str], Run]) -> None:
    paths = ["/runs", "/models", "/models/de-en/1", f"/runs/{run_of(FINISHED + repr('captioning')).id}"]
    page = watched.open("/runs")
    for path in paths:
        page.goto(watched.address + path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, [tabindex='0'], img, audio")].filter(one =>
                !(one.getAttribute("aria-label") || one.alt || one.labels?.length || one.textContent.trim()
                  || one.querySelector("title"))).map(one => one.outerHTML)"""
        )
        assert nameless == []


@pytest.mark.parametrize("width", [360, 800])
def test_nothing_is_wider_than_a_screen(watched: Watched, run_of: Callable[[str], Run], width: int) -> None:
    tasks = [
        f"/runs/{run_of(FINISHED + repr(task)).id}" for task in ("translation", "captioning", "speech")
    ]
    versions = "&".join(f"run=models:/de-en/{number}" for number in (5, 6, 7, 8))
    page = watched.open("/runs", viewport={"width": width, "height": 740})
    for path in (
        "/runs",
        "/models",
        "/models/de-en/1",
        *tasks,
        f"/compare?{versions}",
        "/runs/nobody",
        "/runs?where=a+%3E",
    ):
        page.goto(watched.address + path)
        for fold in page.locator("details.attention summary").all()[:1]:
            fold.click()
            expect(page.locator("heat-map .said")).to_be_visible()
        for plot in page.locator("line-chart .plot").all()[:1]:
            plot.hover(position={"x": 130, "y": 60})
            expect(page.locator(".tip:visible")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_names_of_any_signs_are_only_shown(browser: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"
    url, runs = exhibits.make_exhibits(tmp_path, runs=1)
    with served(url, runs) as address, Registry(url) as registry:
        run = registry.runs(limit=1)[0]
        with (Path(run.folder) / "metrics.jsonl").open("a") as stream:
            for step in (1, 2):
                stream.write(json.dumps({"step": step, "loss": 1.0, evil: 1.0}) + "\n")
                stream.write(json.dumps({"step": step, "scores": {evil: 1.0}}) + "\n")
        one = made_samples.sample(0, {"kind": "text", "text": evil, "file": None}, evil, evil, evil.split())
        (Path(run.folder) / "samples" / "999.jsonl").write_text(json.dumps(one) + "\n")
        watching = Watched(browser, address)
        page = watching.open(f"/runs/{run.id}")
        expect(page.locator("line-chart h3", has_text="onerror")).to_have_count(1)
        page.locator("line-chart .plot").first.focus()
        page.keyboard.press("End")
        page.get_by_text("Attention").click()
        page.locator("heat-map .stage").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("heat-map .said")).to_contain_text("→")
        assert page.locator("img").count() == 0
        watching.contexts[0].close()
        assert watching.wrong == []
