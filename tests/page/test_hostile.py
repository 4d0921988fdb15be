"""Whatever address, query and header the page is asked with: an answer, and nothing that a browser obeys."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.testclient import TestClient

import strangers
from seqloom.page.app import create_app
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

HERE = "http://127.0.0.1"
RUN, MODEL = "r1", "de-en"
OBEYED = re.compile(r"<script>|<img src=x|<b>|(href|src)=.javascript:", re.IGNORECASE)
"""What hostile texts would do to a page that shows them as they are."""
SECRET = "root:x:0:0"
EVIL = f"{strangers.MARKUP}'\"><b>{strangers.ESCAPE}\u202e"
TOKEN = "t" * 32


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """Asks the page of a registry in which all is evil that may be; a bug of the page's is an answer."""
    url, folder = f"sqlite:///{tmp_path / 'registry.db'}", tmp_path / "runs" / RUN
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "00000001.jsonl").write_text('{"inputs": {"image": "../../../etc/passwd"}}\n')
    texts = dict.fromkeys(("name", "task", "device", "device_reason"), EVIL)
    maps: dict[str, Any] = {name: {EVIL: EVIL} for name in ("config", "versions", "environment", "git")}
    score = Score(metric=EVIL, value=1.0, split=EVIL, step=1, signature=EVIL)
    with Registry(url) as registry:
        data = [DataFile(path=EVIL, sha256=EVIL, split=EVIL)]
        registry.start_run(kind="train", id=RUN, seed=1, data=data, folder=str(folder), **texts, **maps)
        registry.add_scores(RUN, [score])
        registry.add_event(RUN, EVIL, {EVIL: EVIL})
        registry.add_artefact(RUN, kind=EVIL, path=EVIL, sha256=EVIL, size_bytes=1)
        registry.note_run(RUN, strangers.MARKUP)
        registry.tag_run(RUN, {"tag": strangers.MARKUP})
        registry.end_run(RUN, "failed", EVIL)
        registry.add_model(MODEL, EVIL, RUN, EVIL, EVIL, [score])
        registry.note_model(MODEL, strangers.MARKUP)
    app = create_app(url, tmp_path / "runs")
    with TestClient(app, base_url=HERE, raise_server_exceptions=False, follow_redirects=False) as asking:
        yield asking


def pages() -> list[str]:
    return [
        *(
            "/runs",
            "/models",
            f"/runs/{RUN}",
            f"/runs/{RUN}/live",
            f"/models/{MODEL}",
            f"/models/{MODEL}/1",
        ),
        *(f"/lineage?of={MODEL}", f"/compare?of={RUN}&of={MODEL}/1", f"/runs/{RUN}/samples/1"),
    ]


@pytest.mark.parametrize("page", pages())
def test_what_a_registry_holds_is_shown_and_not_obeyed(client: TestClient, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code in {200, 307, 400, 404}, answer.text
    assert not OBEYED.search(answer.text)


class Stranger:
    """Somebody who asks the page what nobody should.

    Args:
        client: Asks it.
        chance: What comes to their mind.
    """

    def __init__(self, client: TestClient, chance: random.Random) -> None:
        self.client = client
        self.chance = chance

    def ask(self) -> Any:
        path = "/" + "/".join(self._part() for _ in range(self.chance.randrange(1, 6)))
        path = self.chance.choice((path, self.chance.choice(pages()).partition("?")[0]))
        names = (
            "where",
            "after",
            "of",
            "deleted",
            "sort",
            "by",
            "token",
            "log",
            "step",
            "a",
            "b",
            self._text(),
        )
        pairs = [(self.chance.choice(names), self._text()) for _ in range(self.chance.randrange(4))]
        query = urlencode(pairs, errors="surrogatepass")
        return self.client.request(
            self.chance.choice(("GET", "GET", "GET", "GET", "HEAD", "POST")),
            f"{HERE}{path}{'?' + query if query else ''}",
            headers=self._headers(),
        )

    def _text(self) -> str:
        return strangers.text(self.chance)[:3000]

    def _part(self) -> str:
        """A part of a path: one of those that there are, or a text, encoded once, twice or as it is."""
        known = (
            "runs",
            "models",
            "compare",
            "lineage",
            "static",
            "samples",
            "live",
            "attention",
            RUN,
            MODEL,
            "1",
            "0",
        )
        if self.chance.random() < 0.6:
            return self.chance.choice(known)
        once = quote(self._text(), safe=self.chance.choice(("", "/.")), errors="surrogatepass")
        return quote(once) if self.chance.random() < 0.2 else once

    def _headers(self) -> dict[str, bytes]:
        names = (
            "Host",
            "Range",
            "Authorization",
            "Cookie",
            "HX-Request",
            "Accept",
            "If-None-Match",
            "Referer",
        )
        name = self.chance.choice((*names, "X-None"))
        text = self._text().encode("utf-8", "replace")
        sent = bytes(sign for sign in text if sign not in b"\r\n\0")[:500]
        if name == "Host" and self.chance.random() < 0.7:  # or else nothing but that is refused
            return {}
        return {name: sent} if sent.strip() else {}


def molest(client: TestClient, folder: Path, times: int, seed: int) -> Counter[int]:
    before = {path for path in folder.rglob("*") if not path.name.startswith("registry.db")}
    stranger, codes = Stranger(client, random.Random(seed)), Counter[int]()
    for _ in range(times):
        answer = stranger.ask()
        asked = f"{answer.request.method} {answer.request.url!r} {answer.request.headers!r}"
        assert answer.status_code < 500, f"{asked}\n{answer.text}"
        assert SECRET not in answer.text, asked
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert not OBEYED.search(answer.text), asked
        assert {"\r", "\n"}.isdisjoint("".join(answer.headers.values())), asked
        codes[answer.status_code] += 1
    assert {path for path in folder.rglob("*") if not path.name.startswith("registry.db")} == before
    return codes


def test_hostile_addresses_are_answered(client: TestClient, tmp_path: Path) -> None:
    codes = molest(client, tmp_path, times=150, seed=1)
    assert codes[404] > 10
    assert codes[200] > 10


@pytest.mark.faults
def test_five_thousand_hostile_addresses_are_answered(client: TestClient, tmp_path: Path) -> None:
    assert molest(client, tmp_path, times=5000, seed=2).total() == 5000


def test_a_page_with_a_token_lets_nobody_in_without(client: TestClient, tmp_path: Path) -> None:
    app = create_app(f"sqlite:///{tmp_path / 'registry.db'}", tmp_path / "runs", token=TOKEN)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False, follow_redirects=False) as asking:
        stranger = Stranger(asking, random.Random(3))
        for _ in range(60):
            answer = stranger.ask()
            is_open = answer.request.url.path.startswith("/static/")
            assert answer.status_code in {400, 401, 405} or is_open, answer.request.url
            assert RUN not in answer.text or answer.status_code == 401 or is_open
