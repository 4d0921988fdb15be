"""Long recordings through the command line: whole, interrupted, and with little memory."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import talks
from recogniser import make_recogniser
from typer.testing import CliRunner, Result

from seqloom.api import load
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom.data.manifest import Located
from seqloom.inputs import located_inputs
from seqloom.jobs import journals
from seqloom.predictor import Predictor
from seqloom.registry.store import Registry
from seqloom.site import Site
from seqloom.stream import decode_stream

PAUSES = [3.0, 0.4] * 16


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recogniser")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{folder / 'registry.db'}")
        patch.setenv("SEQLOOM_RUNS", str(folder / "runs"))
        return make_recogniser(folder)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a recording of a minute."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    talks.written(tmp_path / "talk.flac", talks.talk(PAUSES))
    return tmp_path


@pytest.fixture
def predictor(model: Path, place: Path) -> Predictor:
    return load(model, device="cpu")


@pytest.fixture
def transcribe(model: Path, place: Path) -> Callable[..., Result]:
    def run(*words: object, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        result = CliRunner().invoke(app, ["transcribe", str(model), "--device", "cpu", *map(str, words)])
        assert result.exit_code == code, result.output
        return result

    return run


def pieces_of(predictor: Predictor, file: str, **flags: Any) -> list[str]:
    task = predictor.kit.task
    return [
        piece["speech"]
        for piece in task.pieces(
            {"speech": file}, type(predictor.kit.flags)(**flags), predictor.kit.modalities
        )
    ]


# In one go ---------------------------------------------------------------------------------------------


def test_what_is_heard_is_what_is_heard_in_pieces(predictor: Predictor) -> None:
    pieces = pieces_of(predictor, "talk.flac")
    assert len(pieces) == 16
    alone = predictor.predict(pieces)
    assert len(set(alone)) > 3
    assert predictor.predict(["talk.flac"]) == [" ".join(filter(None, alone))]


@pytest.mark.parametrize("options", [{"batch_size": 1}, {"batch_size": 7}, {"batch_elements": 900}])
def test_batches_change_nothing(predictor: Predictor, options: dict[str, int]) -> None:
    (wanted,) = predictor.decode_all(["talk.flac"], times=True)
    found = list(predictor.decode_all(["talk.flac#t=0,4", "talk.flac"], times=True, **options))
    assert found[1].hypotheses[0].tokens == wanted.hypotheses[0].tokens
    words = wanted.hypotheses[0].details["words"]
    assert [word[:3] for word in found[1].hypotheses[0].details["words"]] == [word[:3] for word in words]
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert 50 < words[-1].end_s <= sum(PAUSES)


def test_pieces_are_as_long_as_one_says(predictor: Predictor, transcribe: Callable[..., Result]) -> None:
    assert len(pieces_of(predictor, "talk.flac", piece_s=12)) == 6
    assert predictor.predict(["talk.flac"], piece_s=12) != predictor.predict(["talk.flac"])
    told = transcribe("talk.flac", "--piece-s", 12).stdout
    assert told == "".join(f"{text}\n" for text in predictor.predict(["talk.flac"], piece_s=12))
    result = transcribe("talk.flac", "--piece-s", 0, code=2)
    assert "piece_s: expected greater than or equal to 1, found 0" in result.stderr


def test_one_that_cannot_be_read_is_told_of(place: Path, transcribe: Callable[..., Result]) -> None:
    sound = (place / "talk.flac").read_bytes()
    (place / "torn.flac").write_bytes(sound[: len(sound) // 2])
    assert "torn.flac: " in transcribe("torn.flac", code=65).stderr


# Going on ----------------------------------------------------------------------------------------------


def interrupted(predictor: Predictor, place: Path, after: int) -> None:
    """Transcribes until so many pieces are done."""

    def stop(_: Located, done: int, pieces: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with Registry(None) as registry:
        site = Site(Catalog.from_environment(), registry, place / "runs")
        decode = predictor.decode_config(batch_size=1)
        how = predictor.decoding(decode, predictor.kit.flags)
        how = replace(how, keep=journals(predictor, site, how).open, tell=stop)
        given = located_inputs(["talk.flac"], predictor.kit.slots, "<inputs>")
        with pytest.raises(KeyboardInterrupt):
            list(decode_stream(given, how))


def test_it_goes_on_where_it_was_interrupted(
    predictor: Predictor, place: Path, transcribe: Callable[..., Result]
) -> None:
    whole = transcribe("talk.flac").stdout
    assert not (place / "runs" / "unfinished").exists()
    interrupted(predictor, place, after=7)
    (file,) = (place / "runs" / "unfinished").iterdir()
    kept = file.read_text()
    assert len(kept.splitlines()) == 7
    with file.open("a") as stream:
        stream.write('[15, [{"tokens"')  # and so a kill leaves it
    again = transcribe("talk.flac")
    assert again.stdout == whole
    assert "talk.flac: going on from piece 8 of 16" in again.stderr
    assert not (place / "runs" / "unfinished").exists()


def test_what_was_heard_before_is_taken(
    predictor: Predictor, place: Path, transcribe: Callable[..., Result]
) -> None:
    interrupted(predictor, place, after=16)
    (file,) = (place / "runs" / "unfinished").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line[1][0]["tokens"], line[1][0]["token_scores"] = (
            predictor.kit.task.read_target("bad").tolist()[:-1],
            [0] * 4,
        )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert transcribe("talk.flac").stdout == " ".join(["bad"] * 16) + "\n"


# The long forms ----------------------------------------------------------------------------------------

CHILD = """
import resource, sys
from seqloom.cli.main import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def child(model: Path, *words: object) -> subprocess.Popen[str]:
    """Transcribes in a process of its own, which at its end tells how much memory it took at most."""
    command = [sys.executable, "-c", CHILD, "transcribe", model, "--device", "cpu", *words]
    return subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)


def lines_kept(place: Path) -> int:
    return sum(len(file.read_text().splitlines()) for file in place.glob("runs/unfinished/*.jsonl"))


def long_recording(file: Path, minutes: int) -> None:
    part = talks.talk([4.0, 0.6] * 13 + [0.2])
    with soundfile.SoundFile(file, "w", talks.RATE, 1) as stream:
        for _ in range(minutes):
            stream.write(part)


@pytest.mark.slow
@pytest.mark.faults
def test_it_is_killed_again_and_again(model: Path, place: Path, predictor: Predictor) -> None:
    long_recording(place / "long.flac", 8)
    (wanted,) = predictor.predict(["long.flac"])
    chance, kills = random.Random(5), 0
    while True:
        before = lines_kept(place)
        running = child(model, "long.flac", "--batch-size", 1, "-o", "out.txt")
        until = before + chance.randrange(1, 40)
        while running.poll() is None and lines_kept(place) < until:
            time.sleep(0.002)
        time.sleep(chance.random() / 50)
        running.kill()
        _, said = running.communicate()
        if before:
            assert f"long.flac: going on from piece {before + 1} of" in said
        if running.returncode == 0:
            break
        assert running.returncode == -signal.SIGKILL
        assert not (place / "out.txt").exists()
        assert lines_kept(place) >= before
        kills += 1
    assert kills >= 3
    assert (place / "out.txt").read_text() == wanted + "\n"
    assert not (place / "runs" / "unfinished").exists()


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_an_hour_takes_the_memory_of_minutes(model: Path, place: Path) -> None:
    megabytes = {}
    for minutes in (5, 60):
        long_recording(place / "long.flac", minutes)
        running = child(model, "long.flac", "-o", "out.txt")
        _, said = running.communicate()
        assert running.returncode == 0, said
        megabytes[minutes] = int(said.split()[-1]) / 1000
    assert len((place / "out.txt").read_text().split()) > 60 * 10
    assert megabytes[60] < megabytes[5] + 64
