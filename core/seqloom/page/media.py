"""Pictures and recordings that samples name: looked into before they are sent, and sent by parts."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

MOST_BYTES: Final = 1 << 26
CHUNK_BYTES: Final = 1 << 16
HEAD_BYTES: Final = 16
RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
OF_KIND: Final = {"image": "image/", "audio": "audio/"}
HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; sandbox", "Accept-Ranges": "bytes"}


@dataclass(frozen=True)
class Medium:
    """An open picture or recording.

    Attributes:
        stream: Its bytes; whoever has it closes it.
        kind: ``image/png``; what its first bytes say, never its name.
        size: In bytes.
    """

    stream: BinaryIO
    kind: str
    size: int


def open_medium(file: Path, kind: str) -> Medium | str:
    """Opens a file that a sample names.

    Args:
        file: Its absolute path; links to data are usual and followed.
        kind: ``image`` or ``audio``.

    Returns:
        The medium, or why it is not shown.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
    except (OSError, ValueError):
        return "this file is not there any more, or cannot be read"
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        return "this is no file"
    stream = os.fdopen(descriptor, "rb")
    if found.st_size > MOST_BYTES:
        trouble = f"this file has {found.st_size} bytes; at most {MOST_BYTES} are sent"
    else:
        said = kind_of(stream.read(HEAD_BYTES))
        stream.seek(0)
        if said is not None and said.startswith(OF_KIND[kind]):
            return Medium(stream, said, found.st_size)
        trouble = f"this file is no {'picture' if kind == 'image' else 'recording'} that browsers show"
    stream.close()
    return trouble


def kind_of(head: bytes) -> str | None:
    """What a file is by its first bytes; None for what is neither picture nor recording."""
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(head[8:12])
    if head[:2] == b"\xff\xfb" or head[:2] in {b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"}:
        return "audio/mpeg"
    starts = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF87a": "image/gif",
        b"GIF89a": "image/gif",
        b"BM": "image/bmp",
        b"fLaC": "audio/flac",
        b"OggS": "audio/ogg",
        b"ID3": "audio/mpeg",
    }
    return next((kind for start, kind in starts.items() if head.startswith(start)), None)


def sent(medium: Medium, asked: str | None) -> Response:
    """The answer: all of it, or the part that a ``Range`` asks for."""
    headers = HEADERS | {"Content-Length": str(medium.size)}
    part = None if asked is None else _part(asked, medium.size)
    if part is None:
        return _Part(medium, 0, medium.size, 200, headers)
    start, end = part
    if start >= end:
        medium.stream.close()
        return Response(status_code=416, headers={"Content-Range": f"bytes */{medium.size}"})
    headers |= {
        "Content-Length": str(end - start),
        "Content-Range": f"bytes {start}-{end - 1}/{medium.size}",
    }
    return _Part(medium, start, end, 206, headers)


class _Part(StreamingResponse):
    """Bytes of a medium, which is closed at the end: also where the reader went away before the first."""

    def __init__(
        self, medium: Medium, start: int, end: int, status: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(_bytes(medium.stream, start, end), status, headers, medium.kind)
        self._stream = medium.stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """From where to where (exclusive); None for what is no single range, which may be ignored."""
    found = RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    if found[3] is not None:
        return max(0, size - int(found[3])), size if int(found[3]) else 0
    last = int(found[2]) if found[2] else size - 1
    if last < int(found[1]) and found[2]:
        return None
    return int(found[1]), min(last + 1, size)


def _bytes(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    stream.seek(start)
    while start < end and (chunk := stream.read(min(CHUNK_BYTES, end - start))):
        start += len(chunk)
        yield chunk
