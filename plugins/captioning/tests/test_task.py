"""Captioning as a task: its contract, its files, presets and the job to start from."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from seqloom.batch import Hypothesis
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.errors import StorageError, UsageError
from seqloom.jobfile import load_job
from seqloom.modality import Modality
from seqloom.task import Example, Prediction
from seqloom.testing import TaskContract
from seqloom_captioning import CaptionFlags
from seqloom_captioning.presets import JOB, PRESETS
from seqloom_captioning.task import Captioning
from seqloom_captioning.tokenizer import CaptionTokenizer
from seqloom_vision.build import build as build_modality
from seqloom_vision.options import CnnOptions, ImageOptions

CAPTION = "a dog runs"
POSITIONS = 4  # two rows of two


def build() -> Captioning:
    tokenizer = CaptionTokenizer()
    tokenizer.fit(["A dog runs."])
    return Captioning(tokenizer)


def draw_noise(file: Path, seed: int = 1, size: tuple[int, int] = (40, 30)) -> Path:
    rng = random.Random(seed)
    pixels = bytes(rng.randrange(256) for _ in range(3 * size[0] * size[1]))
    Image.frombytes("RGB", size, pixels).save(file)
    return file


class TestContract(TaskContract):
    module = "seqloom_captioning"
    flags = CaptionFlags

    def build(self) -> Captioning:
        return build()

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return {"image": str(draw_noise(tmp_path / "1.png"))}

    def targets(self) -> list[str]:
        return [CAPTION, "a dog"]


@pytest.fixture
def modalities() -> dict[str, Modality]:
    options = ImageOptions(size=16, frontend=CnnOptions(channels=(8, 8, 8), blocks=1))
    return {"image": build_modality(options)}


def predict(
    task: Captioning, file: Path, caption: str = CAPTION, number: int = 0, *, attention: bool = True
) -> Prediction:
    """A caption that looked at one position after another."""
    tokens = tuple(task.tokenizer.encode(caption))
    weights = torch.eye(POSITIONS)[: len(tokens) + 1] if attention else None
    scores = (-0.5,) * (len(tokens) + 1)
    found = Hypothesis(tokens=tokens, score=-0.25, token_scores=scores, attention=weights)
    return Prediction(Example(number, {"image": str(file)}, None, []), [found])


def test_attention_is_asked_for_where_a_picture_of_it_is() -> None:
    assert build().configure(CaptionFlags(attention="here"), DecodeConfig()).attention
    assert not build().configure(CaptionFlags(sheet="here"), DecodeConfig()).attention


def test_a_panel_is_bright_where_the_model_looked(tmp_path: Path, modalities: dict[str, Modality]) -> None:
    white = tmp_path / "white.png"
    Image.new("RGB", (40, 40), "white").save(white)
    flags = CaptionFlags(attention=str(tmp_path / "deep" / "er"))
    (file,) = build().deliver([predict(build(), white, number=6)], flags, modalities)
    assert file == str(tmp_path / "deep" / "er" / "0007-white.png")
    with Image.open(file) as drawn:
        page = drawn.convert("L")
    panels = [page.crop((10 + 160 * at, 10, 160 + 160 * at, 160)) for at in range(4)]
    corners = [(20, 20), (130, 20), (20, 130), (130, 130)]
    assert panels[0].getextrema() == (255, 255)  # what it saw
    for at, panel in enumerate(panels[1:]):
        bright = [panel.getpixel(corner) for corner in corners]
        assert bright.index(max(bright)) == at
        assert sorted(bright)[2] < 100


def test_a_word_of_several_tokens_has_one_panel(tmp_path: Path, modalities: dict[str, Modality]) -> None:
    from seqloom.tokenizer import ByteTokenizer
    from seqloom_captioning.seen import looks

    tokenizer = ByteTokenizer(normalization="nfc")
    tokens = tuple(tokenizer.encode("ab ü"))
    weights = torch.arange(12.0).view(6, 2)  # a, b, the blank, two bytes, EOS
    found = Hypothesis(tokens=tokens, score=0.0, token_scores=(0.0,) * 6)
    words = looks(found, weights, tokenizer)
    assert [word for word, _ in words] == ["ab", "ü"]
    assert words[0].weights.tolist() == [2, 3]  # the mean of those of a, b and the blank
    assert words[1].weights.tolist() == [7, 8]


def test_a_sheet_is_whole_by_itself(tmp_path: Path, modalities: dict[str, Modality]) -> None:
    task = build()
    name = "<b>&.png"
    predictions = [
        predict(task, draw_noise(tmp_path / name), attention=False),
        predict(task, draw_noise(tmp_path / "2.png", 2), "a dog", 1, attention=False),
    ]
    files = task.deliver(predictions, CaptionFlags(sheet=str(tmp_path / "sheet")), modalities)
    assert files == [str(tmp_path / "sheet" / one) for one in ("index.html", "sheet-1.png")]
    page = Path(files[0]).read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,') == page.count("<figure>") == 2
    assert "<p>a dog runs <small>-0.25</small></p>" in page
    assert "&lt;b&gt;&amp;.png" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    with Image.open(files[1]) as drawn:
        assert drawn.size[0] == 10 + 2 * 210
        assert len(set(drawn.tobytes())) > 100


def test_more_pictures_have_more_contact_sheets(
    tmp_path: Path, modalities: dict[str, Modality], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqloom_captioning.pages.A_SHEET", 3)
    file = draw_noise(tmp_path / "1.png")
    predictions = [predict(build(), file, number=number, attention=False) for number in range(7)]
    files = build().deliver(predictions, CaptionFlags(sheet=str(tmp_path / "sheet")), modalities)
    assert [Path(file).name for file in files] == ["index.html", *(f"sheet-{n}.png" for n in (1, 2, 3))]


def test_what_cannot_be_drawn_is_told(tmp_path: Path, modalities: dict[str, Modality]) -> None:
    task, file = build(), draw_noise(tmp_path / "1.png")
    without = predict(task, file, attention=False)
    with pytest.raises(UsageError, match="no attention to draw"):
        task.deliver([without], CaptionFlags(attention=str(tmp_path)), modalities)
    with pytest.raises(UsageError, match="no picture of seqloom-vision"):
        task.deliver([without], CaptionFlags(sheet=str(tmp_path)), {})
    with pytest.raises(StorageError, match=r"1\.png: cannot write it"):
        task.deliver([without], CaptionFlags(sheet=str(file)), modalities)


def test_an_empty_caption_has_a_picture_too(tmp_path: Path, modalities: dict[str, Modality]) -> None:
    file = draw_noise(tmp_path / "1.png")
    flags = CaptionFlags(attention=str(tmp_path / "a"), sheet=str(tmp_path / "b"))
    assert len(build().deliver([predict(build(), file, "")], flags, modalities)) == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_load(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("preset: show-attend-tell ", f"preset: {preset} "), encoding="utf-8")
    config = load_job(file, Catalog.from_environment()).config
    assert config.evaluate.best == "cider_d"
    assert config.decode.max_length_factor == 0
    assert (config.model.attention is not None) == (preset == "show-attend-tell")
