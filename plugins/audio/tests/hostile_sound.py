"""Sixty files that look like sound, and must not be read as such."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from sounds import encoded, noise, sweep

COUNT = 60
FORMAT = struct.Struct("<HHIIHH")
SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")

Named = tuple[str, bytes]


def files() -> list[Named]:
    """Their names and contents; always the same, but for the numbers of OGG's streams."""
    return [*others(), *formats(), *wavs(), *floats(), *flacs(), *oggs(), *mp3s()]


def whole() -> dict[str, bytes]:
    """Good sound of each kind."""
    sound = sweep(0.5) + 0.05 * noise(0.5)
    return {kind: encoded(sound, kind) for kind in ("wav", "flac", "ogg", "opus", "mp3")}


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """A chunk of a WAV, which may lie about its length."""
    said = len(content) if length is None else length
    return kind + struct.pack("<I", said) + content + bytes(len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pcm(tag: int = 1, channels: int = 1, rate: int = 16_000, align: int = 2, bits: int = 16) -> bytes:
    """A chunk ``fmt``."""
    return chunk(b"fmt ", FORMAT.pack(tag, channels, rate, rate * align % 2**32, align, bits))


SOUND = chunk(b"data", bytes(320))


def others() -> Iterator[Named]:
    """What is no sound of ours."""
    yield "empty.wav", b""
    yield "text.flac", b"a lecture on the weather\n" * 40
    yield "zeros.mp3", bytes(5000)
    yield "picture.ogg", b"\x89PNG\r\n\x1a\n" + bytes(60)
    yield "large.wav", b"RF64" + riff(pcm(), SOUND)[4:]
    yield "big-endian.wav", b"RIFX" + riff(pcm(), SOUND)[4:]
    yield "apple.wav", b"FORM\0\0\1\0AIFFCOMM" + bytes(300)
    yield "webp.wav", b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40)
    good = whole()
    yield "wav-as.flac", good["wav"]
    yield "flac-as.wav", good["flac"]
    yield "ogg-as.mp3", good["ogg"]


def formats() -> Iterator[Named]:
    """WAVs of formats that there are not, or that we do not read."""
    for name, form in (
        ("no-channels", pcm(channels=0, align=0)),
        ("nine-channels", pcm(channels=9, align=18)),
        ("most-channels", pcm(channels=65_535, align=65_534)),
        ("no-rate", pcm(rate=0)),
        ("slow", pcm(rate=3_999)),
        ("fast", pcm(rate=384_001)),
        ("fastest", pcm(rate=2**32 - 1)),
        ("adpcm", pcm(tag=2, bits=4, align=1)),
        ("gsm", pcm(tag=0x31)),
        ("mp3-inside", pcm(tag=0x55)),
        ("no-such-format", pcm(tag=0xABCD)),
        ("twelve-bits", pcm(bits=12)),
        ("no-bits", pcm(bits=0, align=0)),
        ("half-a-float", pcm(tag=3, bits=16)),
        ("frames-too-small", pcm(align=1)),
        ("frames-of-nothing", pcm(align=0)),
        ("short-format", chunk(b"fmt ", pcm()[8:20])),
        ("two-formats", pcm() + pcm(channels=2, align=4)),
        ("bare-extensible", pcm(tag=0xFFFE)),
        (
            "extensible-of-another-kind",
            chunk(b"fmt ", pcm(tag=0xFFFE)[8:] + bytes(8) + b"\1\0" + b"\xff" * 14),
        ),
        (
            "extensible-adpcm",
            chunk(b"fmt ", pcm(tag=0xFFFE)[8:] + bytes(8) + b"\2\0" + SUBFORMAT),
        ),
    ):
        yield f"{name}.wav", riff(form, SOUND)


def wavs() -> Iterator[Named]:
    """WAVs whose chunks are missing, or lie."""
    yield "no-format.wav", riff(SOUND)
    yield "no-sound.wav", riff(pcm())
    yield "zero-frames.wav", riff(pcm(), chunk(b"data", b""))
    yield "half-a-frame.wav", riff(pcm(channels=2, align=4), chunk(b"data", bytes(2)))
    yield "one-byte-missing.wav", riff(pcm(), SOUND)[:-1]
    yield "never-finished.wav", riff(pcm(), chunk(b"data", bytes(320), 2**32 - 1))
    yield "long-chunk.wav", riff(pcm(), chunk(b"LIST", bytes(40), 2**31), SOUND)
    yield "endless-format.wav", riff(chunk(b"fmt ", pcm()[8:], 2**32 - 2), SOUND)
    yield "chunks-of-nothing.wav", riff(*[chunk(b"junk", b"")] * 5000, pcm(), SOUND)


def floats() -> Iterator[Named]:
    """Numbers that are no sound."""
    for name, value in (("nan", np.nan), ("infinite", np.inf)):
        sound = sweep(0.2)
        sound[1000] = value
        yield f"{name}.wav", encoded(sound, "wav", subtype="FLOAT")


def flacs() -> Iterator[Named]:
    """FLACs whose first block, with what they are like, lies; or that are cut."""
    good = whole()["flac"]

    def changed(at: int, value: bytes) -> bytes:
        return good[:at] + value + good[at + len(value) :]

    packed = int.from_bytes(good[18:26])
    more = (packed + 1000).to_bytes(8)  # samples
    fast = (packed & (1 << 44) - 1 | (700_000 << 44)).to_bytes(8)
    yield "more-samples.flac", changed(18, more)
    yield "absurd-rate.flac", changed(18, fast)
    yield "tiny-blocks.flac", changed(8, b"\0\1\0\1")
    yield "blocks-in-reverse.flac", changed(8, b"\x10\0\x08\0")
    yield "no-streaminfo.flac", changed(4, b"\4")
    yield "endless-metadata.flac", changed(42, b"\x84\xff\xff\xff")
    yield "header-only.flac", good[:42]
    yield "half.flac", good[: len(good) // 2]


def oggs() -> Iterator[Named]:
    """OGGs that are cut, or hold something else."""
    good = whole()
    for kind in ("ogg", "opus"):
        yield f"half.{kind}", good[kind][: len(good[kind]) // 2]
    yield "page-only.ogg", good["ogg"][:58]
    yield "flac-inside.ogg", good["ogg"].replace(b"\1vorbis", b"\x7fFLAC\1\0")
    yield "blocks-of-nothing.ogg", good["ogg"][:56] + b"\0" + good["ogg"][57:]
    yield "hundred-channels.ogg", good["ogg"][:39] + b"\x64" + good["ogg"][40:]


def mp3s() -> Iterator[Named]:
    """MP3s without frames, or with fewer than they say."""
    good = whole()["mp3"]
    yield "tag-only.mp3", b"ID3\4\0\0\0\0\0\x20" + bytes(32)
    yield "tags-without-end.mp3", (b"ID3\4\0\0" + bytes(4)) * 1000 + good
    yield "layer-two.mp3", b"\xff\xfd" + good[2:]
