"""A page that is served, and a browser that watches what it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from seqloom.page.app import create_app

PATIENCE_MS = 60_000  # of a machine that has much else to do
expect.set_options(timeout=PATIENCE_MS)
EXPECTED = "Failed to load resource"  # Chromium's own word on an answer of 4xx


@contextmanager
def served(url: str, runs: Path) -> Iterator[str]:
    """A page in a thread, and its address."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(url, runs, higher_is_better={"bleu": True}), port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Watched:
    """Opens pages, and keeps what should never be: errors, and requests to anybody else."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.address = address
        self.contexts: list[BrowserContext] = []
        self.wrong: list[str] = []

    def open(self, path: str, **options: Any) -> Page:
        """A page of a browser that knows nothing yet."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(PATIENCE_MS)
        context.clock.install()  # so that nobody waits for what is asked every few seconds
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self.hear(said.type, said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.see(request.url))
        page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        page.goto(self.address + path)
        return page

    def hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and EXPECTED not in text:
            self.wrong.append(text)

    def see(self, url: str) -> None:
        if not url.startswith((f"{self.address}/", "data:")):
            self.wrong.append(url)


def points(chart: Locator) -> int:
    """How many points a chart has been given."""
    data = json.loads(chart.get_attribute("data") or "")
    return sum(len(curve["points"]) for curve in data["curves"])


def is_drawn(canvas: Locator) -> bool:
    """Whether a canvas has more than one colour."""
    script = """canvas => {
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    return int(canvas.evaluate(script)) > 5
