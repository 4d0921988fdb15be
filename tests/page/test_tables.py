"""The tables of runs and models: queries, pages, orders, filters."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from seqloom.errors import UsageError
from seqloom.page.asking import asked, named, narrowed, place_of_mistake, sorted_by, sorting
from seqloom.registry.language import parse
from seqloom.registry.store import Registry


def ids(text: str) -> list[str]:
    return re.findall(r'name="run" value="([^"]+)"', text)


def hrefs(text: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]+)"', text)]


def test_pages_follow_each_other_without_gap_or_repeat(
    client: TestClient, shown: tuple[str, object]
) -> None:
    with Registry(shown[0]) as registry:
        everything = [run.id for run in registry.runs("order by name")]
    seen, address = [], "/runs?where=order+by+name"
    while address:
        text = client.get(address).text
        seen += ids(text)
        address = next((unescape(found) for found in re.findall(r'rel="next" href="([^"]+)"', text)), "")
    assert seen == everything
    assert len(seen) > 50


def test_a_query_finds_what_it_says(client: TestClient) -> None:
    text = client.get(
        "/runs", params={"where": "task = 'speech' and status = 'finished' and kind = 'train'"}
    ).text
    assert ids(text)
    assert "captioning" not in text.partition("<tbody")[2]


def test_a_mistake_is_pointed_at(client: TestClient) -> None:
    answer = client.get("/runs", params={"where": "status = 'x' and nam = 'y'"})
    assert answer.status_code == 400
    assert "Did you mean &#39;name&#39;?" in answer.text
    assert "\n                   ^" in answer.text
    assert 'data-caret="17"' in answer.text
    assert 'value="status = &#39;x&#39; and nam = &#39;y&#39;"' in answer.text


@pytest.mark.parametrize("noun", ["runs", "models"])
def test_what_is_not_there_is_said(client: TestClient, noun: str) -> None:
    assert "fits" in client.get(f"/{noun}", params={"where": "name = 'nobody'"}).text
    assert client.get(f"/{noun}", params={"after": "nobody"}).status_code == 404
    assert client.get(f"/{noun}", params={"where": "(" * 20_000}).status_code == 400


def test_an_empty_registry_says_how_to_begin(asking: TestClient) -> None:
    assert "seqloom demo translation" in asking.get("/runs").text
    assert "No models yet" in asking.get("/models").text


def test_every_link_of_the_tables_leads_somewhere(client: TestClient) -> None:
    tried = set()
    for page in ("/runs", "/models", "/runs?where=task+%3D+'speech'"):
        for href in hrefs(client.get(page).text):
            if href.startswith("/") and href not in tried:
                tried.add(href)
                assert client.get(href).status_code == 200, href
    assert len(tried) > 100


def test_headers_turn_the_order_round(client: TestClient) -> None:
    def link(where: str) -> str:
        text = client.get("/runs", params={"where": where}).text
        [href] = [href for href in hrefs(text.partition("<tbody")[0]) if "order+by+bleu" in href]
        return parse_qs(urlsplit(href).query)["where"][0]

    down = link("kind = 'train'")
    assert down == "kind = 'train' order by bleu desc"
    assert 'aria-sort="descending"' in client.get("/runs", params={"where": down}).text
    up = link(down)
    assert up == "kind = 'train' order by bleu"


# What queries become -----------------------------------------------------------------------------------

CONDITION = "name = 'order by name limit 3' or `order by x` = 2"


@pytest.mark.parametrize(
    ("where", "becomes"),
    [
        ("", "order by bleu desc"),
        ("order by name", "order by bleu desc"),
        (f"{CONDITION} order by name desc, task limit 5", f"{CONDITION} order by bleu desc limit 5"),
        (f"{CONDITION} limit 5", f"{CONDITION} order by bleu desc limit 5"),
        ("order-1 = 2 ORDER  BY name", "order-1 = 2 order by bleu desc"),
        ("this is no query", "order by bleu desc"),
    ],
)
def test_another_order(where: str, becomes: str) -> None:
    assert sorted_by(where, "bleu", descending=True) == becomes
    assert sorting(becomes) == ("bleu", True)
    assert parse(becomes).orders[0].field.name == "bleu"


@pytest.mark.parametrize(
    ("where", "becomes"),
    [
        ("", "task = 'it''s'"),
        ("a = 1 order by b limit 2", "a = 1 and task = 'it''s' order by b limit 2"),
        ("a = 1 or b = 2", "(a = 1 or b = 2) and task = 'it''s'"),
        ("a = 1 and task = 'it''s'", "a = 1 and task = 'it''s'"),
        ("a =", "task = 'it''s'"),
    ],
)
def test_one_more_condition(where: str, becomes: str) -> None:
    assert narrowed(where, "task", "it's") == becomes
    parse(becomes)


def test_fields_and_places() -> None:
    assert named("bleu") == "bleu"
    assert named("speaker=ann/wer") == "`speaker=ann/wer`"
    assert sorting("order by max(bleu)") is None
    assert place_of_mistake("something else") is None
    assert asked("  ") is None
    with pytest.raises(UsageError, match="has 10001 characters"):
        asked("x" * 10_001)
