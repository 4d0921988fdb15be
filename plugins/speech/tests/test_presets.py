"""Each preset trains on recordings, and decodes in every way that its head knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spoken import RATE_HZ, write

from seqloom.api import load, train
from seqloom.catalog import Catalog
from seqloom.errors import ConfigError
from seqloom.jobfile import load_job
from seqloom.predictor import Predictor
from seqloom_speech.presets import JOB, PRESETS

TEXTS = ["ab", "a b", "bad cab", "c"]
QUICK = (
    *("device=cpu", "train.steps=2", "train.batch_elements=300", "evaluate.every=2", "data.workers=0"),
    *(f"inputs.speech.rate_hz={RATE_HZ}", "inputs.speech.features={name: log_mel, bins: 40}"),
    "inputs.speech.augment.frequency_mask_bins=4",
)


def write_tables(folder: Path) -> list[str]:
    files = [write(folder / f"{number}.wav", text) for number, text in enumerate(TEXTS)]
    rows = [f"{file}\t{text}\n" for file, text in zip(files, TEXTS, strict=True)]
    for name in ("train.tsv", "valid.tsv"):
        (folder / name).write_text("path\ttranscript\n" + "".join(rows))
    return files


def job_of(preset: str, folder: Path) -> Path:
    file = folder / "job.yaml"
    file.write_text(JOB.replace("preset: conformer", f"preset: {preset}"))
    return file


def found(model: Predictor, files: list[str], **options: object) -> list[tuple[str, float]]:
    """The best of each file, and what it scores."""
    return [
        (model.kit.task.text(best), best.score)
        for best in (made.hypotheses[0] for made in model.decode_all(files, **options))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_trains_and_decodes(preset: str, folder: Path) -> None:
    files = write_tables(folder)
    done = train(job_of(preset, folder), overrides=QUICK)
    assert {"ppl", "wer", "cer"} <= {score.metric for score in done.scores}
    model = load(done.model.uri)
    ways = [{}, {"beam": 1}, {"beam": 3, "n_best": 2, "ctc": 1}]
    if preset != "ctc":
        ways += [{"beam": 3, "ctc": 0}, {"beam": 1, "ctc": 0}]
    for options in ways:
        texts, scores = zip(*found(model, files, **options), strict=True)
        (alone,) = found(model, files[2:3], **options)
        assert len(texts) == len(files)
        assert alone == (texts[2], pytest.approx(scores[2], abs=1e-3))
    if preset == "ctc":
        with pytest.raises(ConfigError, match=r"decode\.ctc 0\.5"):
            list(model.decode_all(files, ctc=0.5))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_a_whole_job(preset: str, tmp_path: Path) -> None:
    config = load_job(job_of(preset, tmp_path), Catalog.from_environment()).config
    assert config.evaluate.best == "wer"
    assert [metric.name for metric in config.evaluate.metrics] == ["wer", "cer"]
    json.dumps(config.model_dump(mode="json"))
