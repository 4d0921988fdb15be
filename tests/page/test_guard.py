"""Who may ask for what: hosts, methods, tokens, and the headers of every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqloom.page.app import create_app
from seqloom.page.guard import COOKIE, is_same

TOKEN = "a-token-of-these-tests"


@pytest.fixture
def strict(shown: tuple[str, Path]) -> TestClient:
    """Asks a page that wants a token, from elsewhere."""
    return TestClient(
        create_app(*shown, token=TOKEN), base_url="http://loom.example", follow_redirects=False
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost", "LOCALHOST:1", "[::1]:8642"])
def test_this_machine_may_ask(client: TestClient, host: str) -> None:
    assert client.get("/runs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", "127.0.0.1:x", ""],
)
def test_another_name_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/runs", headers={"host": host})
    assert answer.status_code == 403
    assert "for this machine alone" in answer.text
    assert "de-en" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/runs", "/models", "/static/page.css", "/nowhere"])
def test_nothing_can_be_changed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/runs/%00", "/runs?where=%00", "/models/a%1b", "/runs?where=a%0b", "/runs?%7f=1"]
)
def test_control_characters_are_refused(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert "control characters" in answer.text


@pytest.mark.parametrize(
    "path", ["/runs", "/nowhere", "/runs?where=x+%3E", "/static/htmx.min.js", "/static/none"]
)
def test_every_answer_says_what_a_browser_may_do(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_bug_is_told_of_without_a_traceback(
    shown: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the traceback")

    app = create_app(*shown)
    monkeypatch.setattr(app.state.place.registry.__class__, "run", broken)
    answer = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False).get("/runs/x")
    assert answer.status_code == 500
    assert "RuntimeError" in answer.text
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/runs", "/models/de-en/1", "/static/page.css"])
def test_one_may_ask_what_there_would_be(client: TestClient, path: str) -> None:
    assert client.head(path).status_code == 200


# Tokens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/models", "/runs/x/samples/1/0/source", "/runs?token=wrong", "/runs?token="]
)
def test_without_the_token_nothing_is_told(strict: TestClient, path: str) -> None:
    answer = strict.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "de-en" not in answer.text


def test_the_token_in_the_address_is_kept_as_a_cookie(strict: TestClient) -> None:
    answer = strict.get(f"/runs?token={TOKEN}&where=name+%3D+'de-en'")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert TOKEN not in answer.text
    assert 'url=/runs?where=name+%3D+%27de-en%27"' in answer.text
    assert strict.get("/runs").status_code == 200  # by the cookie alone
    strict.cookies.clear()
    strict.cookies.set(COOKIE, "0" * 64)
    assert strict.get("/runs").status_code == 401


def test_a_foreign_place_is_not_gone_on_to(strict: TestClient) -> None:
    answer = strict.get(f"http://loom.example//evil.example/?token={TOKEN}")
    assert 'url=/evil.example/"' in answer.text
    answer = strict.get(f"http://loom.example/%5Cevil.example/?token={TOKEN}")
    assert 'url=/%5Cevil.example/"' in answer.text


@pytest.mark.parametrize(("said", "status"), [(f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), ("Bearer x", 401), (TOKEN, 401)])  # fmt: skip
def test_the_token_as_a_header(strict: TestClient, said: str, status: int) -> None:
    assert strict.get("/runs", headers={"authorization": said}).status_code == status


def test_looks_need_no_token(strict: TestClient) -> None:
    assert strict.get("/static/page.css").status_code == 200


def test_secrets_of_any_signs_can_be_compared() -> None:
    assert is_same("é", "é")
    assert not is_same("\udcff", "x")
