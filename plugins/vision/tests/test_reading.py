"""Pictures come upright, opaque, in 8 bits, whatever their files are like."""

from __future__ import annotations

import struct
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import pytest
from PIL import Image, ImageCms
from samples import chunk, encoded, picture, png

from seqloom.errors import DataError
from seqloom_vision.formats import SUFFIXES
from seqloom_vision.reading import read_picture

LOSSY = 8  # of 255, on average: what JPEG may change; other pictures are further away


def read(tmp_path: Path, data: bytes, name: str = "picture", **options: Any) -> Image.Image:
    file = tmp_path / name
    file.write_bytes(data)
    return read_picture(str(file), **options)


def pixels(image: Image.Image) -> list[Any]:
    return np.asarray(image).reshape(-1, *np.asarray(image).shape[2:]).tolist()


def distance(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


# Formats ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format_is_read(suffix: str, tmp_path: Path) -> None:
    image = picture(60, 40)
    found = read(tmp_path, encoded(image, SUFFIXES[suffix]), f"picture{suffix.upper()}")
    assert found.mode == "RGB"
    assert distance(found, image) < (LOSSY if SUFFIXES[suffix] in ("JPEG", "WebP") else 1e-9)


def test_a_name_that_says_nothing_may_be_any_of_them(tmp_path: Path) -> None:
    assert read(tmp_path, encoded(picture(), "BMP"), "picture.dat").size == (24, 20)


def test_a_name_that_says_something_else_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"picture\.png: its name says PNG, its content is WebP"):
        read(tmp_path, encoded(picture(), "WEBP"), "picture.png")


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 100}])
def test_jpegs_of_any_kind(options: dict[str, Any], tmp_path: Path) -> None:
    assert distance(read(tmp_path, encoded(picture(), "JPEG", **options)), picture()) < LOSSY


def test_the_first_picture_of_several_in_a_jpeg_is_the_photograph(tmp_path: Path) -> None:
    data = encoded(picture(), "MPO", save_all=True, append_images=[picture(seed=2)])
    assert distance(read(tmp_path, data, "picture.jpg"), picture()) < LOSSY


def test_a_still_in_the_form_of_a_film(tmp_path: Path) -> None:
    data = encoded(picture(), "PNG", save_all=True, append_images=[])
    assert distance(read(tmp_path, data, "picture.png"), picture()) == 0


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        for name, data in (("1.png", encoded(picture(), "PNG")), ("2.png", b"no picture")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    assert distance(read_picture(str(tmp_path / "photos.tar" / "1.png")), picture()) == 0
    with pytest.raises(DataError, match=r"photos\.tar/2\.png: no JPEG, PNG, WebP or BMP picture"):
        read_picture(str(tmp_path / "photos.tar" / "2.png"))


# Pixels -------------------------------------------------------------------------------------------------

GREY = [0, 90, 200, 255]


def row(*values: int, depth: int = 8) -> bytes:
    """One row of a PNG."""
    return b"\0" + struct.pack(f">{len(values)}{'B' if depth == 8 else 'H'}", *values)


@pytest.mark.parametrize(
    ("depth", "colour", "values", "extra", "wanted"),
    [
        pytest.param(8, 0, GREY, [], GREY, id="grey"),
        pytest.param(16, 0, [g * 257 for g in GREY], [], GREY, id="grey-16"),
        pytest.param(8, 0, GREY, [chunk(b"tRNS", b"\0\x5a")], [0, 255, 200, 255], id="grey-key"),
        pytest.param(
            16,
            0,
            [0x1234, 0x5678, 0x5679, 0],
            [chunk(b"tRNS", b"\x56\x78")],
            [0x12, 255, 0x56, 0],
            id="grey-16-key",
        ),
        pytest.param(8, 4, [0, 255, 0, 0, 0, 51, 100, 255], [], [0, 255, 204, 100], id="grey-alpha"),
        pytest.param(
            16, 4, [0, 65535, 0, 0, 0, 51 * 257, 25700, 65535], [], [0, 255, 204, 100], id="grey-alpha-16"
        ),
        pytest.param(8, 2, [1, 2, 3, 4, 5, 6], [], [(1, 2, 3), (4, 5, 6)], id="colour"),
        pytest.param(16, 2, [257, 514, 771, 1028, 1285, 1542], [], [(1, 2, 3), (4, 5, 6)], id="colour-16"),
        pytest.param(
            8,
            2,
            [1, 2, 3, 4, 5, 6],
            [chunk(b"tRNS", b"\0\4\0\5\0\6")],
            [(1, 2, 3), (255,) * 3],
            id="colour-key",
        ),
        pytest.param(
            16,
            2,
            [257, 514, 771, 1028, 1285, 1542],
            [chunk(b"tRNS", b"\4\4\5\5\6\6")],
            [(1, 2, 3), (255,) * 3],
            id="colour-16-key",
        ),
        pytest.param(8, 6, [9, 9, 9, 255, 9, 9, 9, 0], [], [(9,) * 3, (255,) * 3], id="colour-alpha"),
        pytest.param(
            8,
            3,
            [0, 1],
            [chunk(b"PLTE", bytes([9, 8, 7, 1, 2, 3])), chunk(b"tRNS", b"\0\xff")],
            [(255,) * 3, (1, 2, 3)],
            id="palette-key",
        ),
        pytest.param(
            8,
            3,
            [0, 1],
            [chunk(b"PLTE", bytes([0, 0, 0, 0, 0, 0])), chunk(b"tRNS", bytes([51, 102]))],
            [(204,) * 3, (153,) * 3],
            id="palette-alpha",
        ),
    ],
)
def test_a_png_of_each_kind(
    depth: int, colour: int, values: list[int], extra: list[bytes], wanted: list[Any], tmp_path: Path
) -> None:
    columns = len(values) // {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    found = read(tmp_path, png(columns, 1, depth, colour, row(*values, depth=depth), *extra))
    rgb = [[value] * 3 if isinstance(value, int) else list(value) for value in wanted]
    assert pixels(found) == rgb


def test_black_and_white(tmp_path: Path) -> None:
    assert pixels(read(tmp_path, png(8, 1, 1, 0, b"\0\xa0"), mode="L")) == [255, 0, 255, 0, 0, 0, 0, 0]


def test_a_jpeg_for_print(tmp_path: Path) -> None:
    found = read(tmp_path, encoded(picture().convert("CMYK"), "JPEG", quality=95))
    assert found.mode == "RGB"
    assert distance(found, picture()) < LOSSY


def test_a_transparent_webp(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 51))
    found = read(tmp_path, encoded(image, "WEBP", lossless=True, exact=True))
    assert set(map(tuple, pixels(found))) == {(204, 204, 204)}


def test_grey_is_asked_for(tmp_path: Path) -> None:
    for form in ("JPEG", "PNG", "WEBP", "BMP"):
        found = read(tmp_path, encoded(picture(), form), mode="L")
        assert found.mode == "L"
        assert distance(found, picture().convert("L")) < LOSSY


# Orientation --------------------------------------------------------------------------------------------


def exif(orientation: object) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


STORED_AS = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT),
    8: (Image.Transpose.ROTATE_270,),
}
"""How a camera that was held in each way has a picture that is upright."""


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_upright(orientation: int, form: str, tmp_path: Path) -> None:
    stored = picture(60, 40)
    for turn in STORED_AS[orientation]:
        stored = stored.transpose(turn)
    data = encoded(stored, form, exif=exif(orientation))
    assert distance(read(tmp_path, data), picture(60, 40)) < LOSSY


def test_a_sideways_line_is_as_high_as_asked_for(tmp_path: Path) -> None:
    for form in ("JPEG", "PNG"):
        line = picture(640, 128).transpose(Image.Transpose.ROTATE_90)
        found = read(tmp_path, encoded(line, form, exif=exif(6)), least=(1, 16))
        assert found.size == (160, 32) if form == "JPEG" else (128, 26)


@pytest.mark.parametrize("nonsense", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0", b"Exif\0\0rubbish"])
def test_nonsense_about_a_picture_leaves_it_as_it_is(nonsense: bytes, tmp_path: Path) -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        assert distance(read(tmp_path, encoded(picture(), form, exif=nonsense)), picture()) < LOSSY
    assert read(tmp_path, encoded(picture(), "PNG", exif=exif(99))).size == (24, 20)


def test_a_colour_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert distance(read(tmp_path, encoded(picture(), "PNG", icc_profile=profile)), picture()) == 0


# Size ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP"])
def test_of_large_pictures_as_much_is_read_as_is_needed(form: str, tmp_path: Path) -> None:
    large = picture(1603, 1201)
    found = read(tmp_path, encoded(large, form), least=(100, 100))
    assert 150 <= min(found.size) <= 301
    assert distance(found, large.resize(found.size)) < LOSSY


def test_bands_are_seamless(tmp_path: Path) -> None:
    large = picture(2501, 1999)
    data = encoded(large, "PNG")
    assert distance(read(tmp_path, data, mode="L", least=(300, 300)), large.convert("L").reduce(4)) == 0
    assert distance(read(tmp_path, data, mode="L"), large.convert("L")) == 0
    assert distance(read(tmp_path, data, least=(300, 300)), large.reduce(4)) == 0


def test_what_is_small_is_not_shrunk(tmp_path: Path) -> None:
    assert read(tmp_path, encoded(picture(30, 31), "PNG"), least=(16, 16)).size == (30, 31)
    assert read(tmp_path, encoded(picture(3, 1), "PNG"), least=(16, 16)).size == (3, 1)


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (7072, 7072, "7072 × 7072 pixels are more than the 50 million"),
        (65_536, 1, "65536 × 1 pixels: no side may have more than 65535"),
    ],
)
def test_too_large_a_picture_is_told(columns: int, rows: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, png(columns, rows, 1, 0, b""))


def test_fifty_million_pixels_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="truncated"):  # but none are there
        read(tmp_path, png(7071, 7071, 1, 0, b"\0"))


def test_what_costs_too_much_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="takes 292 MB of memory, more than the 268"):
        read(tmp_path, dict(hostile.files())["coefficients.jpg"], least=(100, 100))


def test_a_film_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an animation of 2 frames"):
        read(tmp_path, encoded(picture(), "WEBP", save_all=True, append_images=[picture(seed=2)]))
