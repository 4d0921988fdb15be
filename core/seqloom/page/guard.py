"""Who may ask, and for what? Everything that is refused before a view sees it, and what every answer says.

The page listens on loopback, where every program of this machine and every web site in a browser can send
requests; so one whose ``Host`` is another is refused (a site may have its name resolved to 127.0.0.1). On
any other address each request needs the token, as a cookie or as ``Authorization: Bearer``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "seqloom_page"
PARAMETER: Final = "token"
LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
METHODS: Final = ("GET", "HEAD")
OPEN: Final = "/static/"
"""What the page that asks for a token needs itself; nothing of the user's is there."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer, unless it says otherwise: nothing from elsewhere, nothing inline, in nobody's frame."""

Refuse = Callable[[int, str], Response]


class Guard:
    """Lets through what may be asked, and sees to the headers of every answer.

    Args:
        app: What it guards.
        token: What everybody must know who asks; None where only this machine can.
        refuse: Makes the page that says why not, of a status and a reason.
    """

    def __init__(self, app: ASGIApp, token: str | None, refuse: Refuse) -> None:
        self._app = app
        self._token = token
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refused(scope)
        as_get = {**scope, "method": "GET"}  # the server leaves the body of what answers HEAD out
        await (refusal or self._app)(as_get, receive, answer)

    def _refused(self, scope: Scope) -> Response | None:
        """What is answered instead; None where the request may pass."""
        host = Headers(scope=scope).get("host", "")
        if self._token is None and not LOOPBACK.fullmatch(host):
            return self._refuse(403, f"this page is for this machine alone, and was asked for as '{host}'")
        if scope["method"] not in METHODS:
            refusal = self._refuse(405, "nothing can be changed here; this page is for looking")
            refusal.headers["Allow"] = ", ".join(METHODS)
            return refusal
        query: bytes = scope["query_string"]
        said = scope["path"].encode("utf-8", "surrogateescape") + unquote_to_bytes(query)
        if CONTROL.search(said):
            return self._refuse(400, "the address holds control characters, which no name and no query has")
        if self._token is None or scope["path"].startswith(OPEN):
            return None
        return self._without_token(scope, self._token, parse_qsl(query.decode("latin-1")))

    def _without_token(self, scope: Scope, token: str, asked: list[tuple[str, str]]) -> Response | None:
        given = [value for name, value in asked if name == PARAMETER]
        if given and is_same(given[0], token):
            return _admitted(scope["path"], [pair for pair in asked if pair[0] != PARAMETER], token)
        connection = HTTPConnection(scope)
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_same(bearer.strip(), token):
            return None
        if is_same(connection.cookies.get(COOKIE, ""), cookie_of(token)):
            return None
        refusal = self._refuse(
            401, "this page needs its token: open the address that `seqloom ui` printed, with ?token=…"
        )
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal


def cookie_of(token: str) -> str:
    """What a browser keeps: enough to be let in, and not the token itself."""
    return hashlib.sha256(f"seqloom page {token}".encode()).hexdigest()


def is_same(found: str, expected: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(
        found.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


def _admitted(path: str, rest: list[tuple[str, str]], token: str) -> Response:
    """Keeps the token out of the address bar, the history and what is sent along.

    It goes on from a page of ours, not by a redirect: after a link on another site, a browser would not
    send a strict cookie there.
    """
    place = "/" + quote(path.lstrip("/"), errors="replace") + (f"?{urlencode(rest)}" if rest else "")
    page = (
        f'<!doctype html><meta http-equiv="refresh" content="0;url={escape(place)}"><title>Seqloom</title>'
    )
    response = HTMLResponse(f'{page}<p><a href="{escape(place)}">Go on</a></p>')
    response.set_cookie(COOKIE, cookie_of(token), httponly=True, samesite="strict", path="/")
    return response
