"""Two hundred files that look like pictures, and must not be read as such."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

from samples import IEND, PNG_BEGINNING, chunk, encoded, picture, png

COUNT = 200
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp"}

Named = tuple[str, bytes]


def files() -> list[Named]:
    """Their names and contents; always the same."""
    made = [
        *labels(),
        *others(),
        *headers(),
        *jpegs(),
        *webps(),
        *bmps(),
        *animations(),
        *bombs(),
        *beginnings(),
    ]
    return [*made, *damaged(COUNT - len(made))]


def whole() -> dict[str, bytes]:
    """A good picture of each format."""
    image = picture()
    return {
        "JPEG": encoded(image, "JPEG"),
        "PNG": encoded(image, "PNG"),
        "WEBP": encoded(image, "WEBP"),
        "BMP": encoded(image, "BMP"),
    }


def labels() -> Iterator[Named]:
    """Good pictures whose names say another format."""
    for form, data in whole().items():
        for said, suffix in SUFFIXES.items():
            if said != form:
                yield f"{form}-as{suffix}", data
    yield "png-as.jpeg", whole()["PNG"]
    yield "png-as.JPG", whole()["PNG"]


def others() -> Iterator[Named]:
    """What is no picture of ours."""
    image = picture()
    contents = {
        "empty": b"",
        "text": b"a photograph of two dogs\n" * 40,
        "html": b"<!doctype html><title>404</title>",
        "json": b'{"error": "not found"}',
        "gif": encoded(image, "GIF"),
        "tiff": encoded(image, "TIFF"),
        "ppm": encoded(image, "PPM"),
        "ico": encoded(image, "ICO"),
        "pdf": b"%PDF-1.7\n" + bytes(60),
        "zip": b"PK\x03\x04" + bytes(60),
        "gzip": b"\x1f\x8b\x08" + bytes(60),
        "elf": b"\x7fELF" + bytes(60),
        "zeros": bytes(5000),
        "riff": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        "heic": b"\0\0\0\x18ftypheic" + bytes(60),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "one": b"\x89",
    }
    for number, (name, data) in enumerate(contents.items()):
        yield name + list(SUFFIXES.values())[number % 4], data


def headers() -> Iterator[Named]:
    """PNGs whose headers lie, or say what there is not."""
    rows = bytes(4 * 13)  # four of 4 × 3 bytes and the filter
    for name, columns, lines in (
        ("no-columns", 0, 4),
        ("no-rows", 4, 0),
        ("more-columns", 400, 4),
        ("ten-billion", 100_000, 100_000),
        ("sixty-thousand", 60_000, 60_000),
        ("just-too-many", 7_072, 7_071),
        ("too-wide", 65_536, 1),
        ("too-high", 1, 65_536),
        ("largest", 2**31 - 1, 2**31 - 1),
        ("negative", 2**32 - 4, 4),
    ):
        yield f"{name}.png", png(columns, lines, 8, 2, rows)
    for depth, colour in ((3, 0), (0, 2), (4, 2), (16, 3), (8, 1), (8, 5), (8, 7), (255, 255)):
        yield f"depth-{depth}-{colour}.png", png(4, 4, depth, colour, rows)
    yield "no-such-interlacing.png", png(4, 4, 8, 2, rows[:5], tail=b"\0\0\2")
    yield "short-header.png", PNG_BEGINNING + chunk(b"IHDR", b"\0\0\0\4") + chunk(IEND, b"")
    yield "no-header.png", PNG_BEGINNING + chunk(b"IDAT", zlib.compress(rows)) + chunk(IEND, b"")
    yield (
        "no-pixels.png",
        PNG_BEGINNING + chunk(b"IHDR", struct.pack(">IIBB", 4, 4, 8, 2) + b"\0\0\0") + chunk(IEND, b""),
    )
    yield (
        "pixels-of-noise.png",
        png(4, 4, 8, 2, rows).replace(zlib.compress(rows), b"\xff" * len(zlib.compress(rows))),
    )
    yield "wrong-filter.png", png(4, 4, 8, 2, b"\x09" * 52)
    yield "endless-chunk.png", PNG_BEGINNING + struct.pack(">I", 2**31 - 1) + b"IHDR" + bytes(60)
    yield "short-transparency.png", png(4, 4, 8, 2, rows, chunk(b"tRNS", b"\0"))


def jpegs() -> Iterator[Named]:
    """JPEGs whose segments are missing, or contradict each other."""
    good = whole()["JPEG"]
    frame, scan, tables = good.index(b"\xff\xc0"), good.index(b"\xff\xda"), good.index(b"\xff\xc4")
    for name, at, value in (
        ("twelve-bits", 4, 12),
        ("no-bits", 4, 0),
        ("no-components", 9, 0),
        ("nine-components", 9, 9),
        ("sampling-zero", 11, 0),
        ("sampling-of-fifteen", 11, 0xFF),
        ("no-such-table", 12, 9),
    ):
        broken = bytearray(good)
        broken[frame + at] = value
        yield f"{name}.jpg", bytes(broken)
    for name, columns, lines in (
        ("flat", 20, 0),
        ("thin", 0, 20),
        ("giant", 65_500, 65_500),
        ("large", 9_000, 9_000),
    ):
        yield f"{name}.jpg", good[: frame + 5] + struct.pack(">HH", lines, columns) + good[frame + 9 :]
    yield "no-frame.jpg", good[:frame] + good[tables:]
    yield "no-scan.jpg", good[:scan] + b"\xff\xd9"
    yield "tables-of-noise.jpg", good[: tables + 4] + b"\xff" * (scan - tables - 4) + good[scan:]
    yield "only-ends.jpg", b"\xff\xd8\xff\xd9"
    yield "lossless.jpg", good.replace(b"\xff\xc0", b"\xff\xc3")
    yield "arithmetic-of-huffman.jpg", good[:frame] + b"\xff\xc9" + good[frame + 2 : scan]


def webps() -> Iterator[Named]:
    """WebPs that lie."""
    good = whole()["WEBP"]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4)
    for name, side in (("giant", 16_383), ("largest", 2**24 - 1)):
        canvas = (side).to_bytes(3, "little") * 2
        body = b"WEBP" + extended + canvas + good[12:]
        yield f"{name}.webp", b"RIFF" + struct.pack("<I", len(body)) + body
    yield "no-frame.webp", good[:20] + bytes(len(good) - 20)
    yield "other-chunk.webp", good.replace(b"VP8 ", b"VP9 ")
    yield "riff-too-long.webp", good[:4] + struct.pack("<I", 2**30) + good[8:]
    yield "chunk-too-long.webp", good[:16] + struct.pack("<I", 2**30) + good[20:]
    yield "empty-riff.webp", b"RIFF\x04\0\0\0WEBP"


def bmps() -> Iterator[Named]:
    """BMPs that lie."""
    good = whole()["BMP"]
    for name, at, value in (
        ("header-of-no-size", 14, struct.pack("<I", 7)),
        ("giant", 18, struct.pack("<ii", 60_000, 60_000)),
        ("no-columns", 18, struct.pack("<i", 0)),
        ("no-rows", 22, struct.pack("<i", 0)),
        ("more-rows", 22, struct.pack("<i", 400)),
        ("three-bits", 28, struct.pack("<H", 3)),
        ("no-such-compression", 30, struct.pack("<I", 9)),
        ("jpeg-inside", 30, struct.pack("<I", 4)),
        ("pixels-elsewhere", 10, struct.pack("<I", 10**6)),
    ):
        yield f"{name}.bmp", good[:at] + value + good[at + len(value) :]


def animations() -> Iterator[Named]:
    """Several frames."""
    for count in (2, 5):
        first, *rest = (picture(seed=seed) for seed in range(count))
        for form in ("PNG", "WEBP"):
            yield f"film-{count}{SUFFIXES[form]}", encoded(first, form, save_all=True, append_images=rest)


def bombs() -> Iterator[Named]:
    """Small files that ask for very much."""
    text = b"Comment\0\0" + zlib.compress(bytes(50_000_000))
    yield "comment.png", png(4, 4, 8, 2, bytes(52), chunk(b"zTXt", text))
    yield "international.png", png(4, 4, 8, 2, bytes(52), chunk(b"iTXt", b"Comment\0\1\0\0\0" + text[9:]))
    progressive = encoded(picture(), "JPEG", progressive=True, subsampling=0)
    frame, scan = progressive.index(b"\xff\xc2"), progressive.rindex(b"\xff\xda")
    yield "scans.jpg", progressive[:-2] + progressive[scan:-2] * 500 + progressive[-2:]
    large = struct.pack(">HH", 6_900, 7_000)
    yield "coefficients.jpg", progressive[: frame + 5] + large + progressive[frame + 9 :]


def beginnings() -> Iterator[Named]:
    """The first bytes of a picture, and nothing or noise after them."""
    noise = random.Random(1).randbytes(2000)
    starts = {"JPEG": b"\xff\xd8\xff", "PNG": PNG_BEGINNING, "WEBP": b"RIFF\xd8\7\0\0WEBP", "BMP": b"BM"}
    for form, start in starts.items():
        for name, rest in (("alone", b""), ("zeros", bytes(2000)), ("noise", noise)):
            yield f"beginning-{name}{SUFFIXES[form]}", start + rest


def damaged(count: int) -> Iterator[Named]:
    """Good pictures cut short, and PNGs with a bit turned round."""
    good = whole()
    random_ = random.Random(2)
    for number in range(count):
        form = ("JPEG", "PNG", "WEBP", "BMP", "flip")[number % 5]
        if form == "flip":
            broken = bytearray(good["PNG"])
            broken[random_.randrange(len(PNG_BEGINNING), len(broken))] ^= 1 << random_.randrange(8)
            yield f"flipped-{number}.png", bytes(broken)
        else:
            end = random_.randrange(12, len(good[form]) - 16)
            yield f"cut-{number}{SUFFIXES[form]}", good[form][:end]
