"""``seqloom ui`` listens where it says, tells a token where one is needed, and ends when told to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

Seqloom = Callable[..., Result]

TOKEN = "a-token-of-these-tests"


@contextmanager
def served(folder: Path, *options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it tells."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seqloom", "ui", "--port", "0", *options],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | variables,
    )
    assert process.stderr is not None
    try:
        told = process.stderr.readline()
        [address] = re.findall(r"http://\S+", told)
        yield process, address
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.slow
def test_it_serves_this_machine_until_told_to_end(tmp_path: Path) -> None:
    with served(tmp_path) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        answer = httpx.get(address, follow_redirects=True)
        assert "No runs yet" in answer.text
        assert "server" not in answer.headers
        assert httpx.get(address, headers={"host": "evil.example"}).status_code == 403
        for path in (
            "static/..%2f..%2fapp.py",
            "static/%2e%2e/app.py",
            "runs/..%2f..%2fetc%2fpasswd",
            "%00",
        ):
            assert 400 <= httpx.get(address + path).status_code < 500
        assert not (tmp_path / "registry.db").exists()  # it looks, and makes nothing
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "Ctrl-C ends it\n"


@pytest.mark.slow
def test_elsewhere_it_wants_its_token(tmp_path: Path) -> None:
    with served(tmp_path, "--host", "0.0.0.0", SEQLOOM_TOKEN=TOKEN) as (process, address):
        port = address.rpartition(":")[2].partition("/")[0]
        assert address.endswith(f"/?token={TOKEN}")
        here = f"http://127.0.0.1:{port}/runs"
        assert httpx.get(here).status_code == 401
        assert httpx.get(here, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143


@pytest.mark.parametrize("token", ["short", "a token with blanks in it", "ä-token-of-these-tests"])
def test_a_token_that_is_none_is_refused(
    seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("SEQLOOM_TOKEN", token)
    told = seqloom("ui", "--host", "0.0.0.0", code=2).stderr
    assert "SEQLOOM_TOKEN is no token" in told
    assert token not in told


def test_each_token_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqloom.cli.ui import _token

    monkeypatch.delenv("SEQLOOM_TOKEN", raising=False)
    assert _token() != _token()
    assert len(_token()) >= 32


def test_a_port_that_is_taken_is_named(seqloom: Seqloom) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1, port {port}" in seqloom("ui", "--port", port, code=75).stderr


def test_an_address_that_is_none_is_named(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_TOKEN", TOKEN)
    assert (
        "'no.such.host.invalid' is no address"
        in seqloom("ui", "--host", "no.such.host.invalid", code=2).stderr
    )


def test_without_the_extra_it_says_what_to_install(
    seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("seqloom.page")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    told = seqloom("ui", code=78).stderr
    assert "seqloom ui needs the package fastapi, which is not installed; pip install 'seqloom[ui]'" in told
