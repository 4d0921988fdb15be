"""The page of a run: curves, events, samples, and the files that samples name."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import made_samples
import pytest
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from seqloom.page import media, metrics
from seqloom.registry.records import Run, Score
from seqloom.registry.store import Registry


def charts(text: str) -> dict[str, Any]:
    """What is drawn, by title."""
    found = [json.loads(unescape(data)) for data in re.findall(r'<line-chart [^>]*data="([^"]*)"', text)]
    return {
        chart["title"]: {curve["name"]: curve["points"] for curve in chart["curves"]} for chart in found
    }


def write(run: Run, *lines: dict[str, Any] | str) -> Path:
    file = Path(run.folder) / "metrics.jsonl"
    with file.open("a", encoding="utf-8") as stream:
        stream.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return file


def test_it_tells_all_that_is_known(client: TestClient, run_of: Callable[[str], Run]) -> None:
    run = run_of("kind = 'train' and status = 'finished' and task = 'translation'")
    text = client.get(f"/runs/{run.id}").text
    for said in (
        run.id,
        run.device_reason,
        run.folder,
        "loom-3",
        run.git["commit"],
        "train.source",
        "29\u202f000",
    ):
        assert said in text
    assert list(charts(text)) == ["Loss", "bleu", "chrf", "ppl", "Learning rate", "Throughput, targets a second",
                                  "Memory, most so far", "Gradient norm", "Waiting for data"]  # fmt: skip
    assert "the loss was not finite" in text
    assert 'data-text="model.encoder.name &#34;transformer&#34;"' in text
    assert 'hx-trigger="every' not in text  # it has ended


def test_predictions_are_artefacts(client: TestClient, run_of: Callable[[str], Run]) -> None:
    text = client.get(f"/runs/{run_of('kind = ' + repr('evaluate')).id}").text
    assert "test.jsonl" in text
    assert "79.3 KiB" in text


def test_the_beginning_of_an_id_will_do(client: TestClient, run_of: Callable[[str], Run]) -> None:
    run = run_of("status = 'running'")
    answer = client.get(f"/runs/{run.id[:-1]}")
    assert (answer.status_code, answer.url.path) == (200, f"/runs/{run.id}")


@pytest.mark.parametrize(
    "name", ["nobody", "..%2f..", "%2e%2e%2f%2e%2e", "x" * 300, "'%20or%201=1", "%E2%80%AE", "%22%3E"]
)
def test_no_such_run(client: TestClient, name: str) -> None:
    answer = client.get(f"/runs/{name}")
    assert answer.status_code == 404
    assert "Not there" in answer.text


# Curves ------------------------------------------------------------------------------------------------


def test_it_follows_a_training(asking: TestClient, start: Callable[..., Run], registry: Registry) -> None:
    run = start()
    write(run, {"step": 1, "loss": 9.0}, {"step": 2, "loss": 8.0})
    live = f"/runs/{run.id}/live"
    assert charts(asking.get(live).text) == {"Loss": {"loss": [[1, 9], [2, 8]]}}
    write(
        run,
        {"step": 3, "loss": 7.5, "learning_rate": 1e-3},
        {"step": 3, "scores": {"bleu": 4.5, "nan": None}},
    )
    with (Path(run.folder) / "metrics.jsonl").open("a") as half:
        half.write('{"step": 4, "lo')  # being written
    answer = asking.get(live).text
    assert charts(answer) == {"Loss": {"loss": [[1, 9], [2, 8], [3, 7.5]]}}  # a point is no curve yet
    whole = '{"step": 5, "loss": 7, "nll": 6, "epoch": 1, "correct": 0.5, "learning_rate": 2e-3}'
    write(run, "", whole, whole.replace('"step": 5', '"step": 6'), {"step": 6, "scores": {"bleu": 5.5}})
    assert charts(asking.get(live).text) == {
        "Loss": {"loss": [[1, 9], [2, 8], [3, 7.5], [5, 7], [6, 7]], "nll": [[5, 6], [6, 6]]},
        "bleu": {"bleu": [[3, 4.5], [6, 5.5]]},
        "Correct, of targets": {"correct": [[5, 0.5], [6, 0.5]]},
        "Learning rate": {"learning_rate": [[3, 0.001], [5, 0.002], [6, 0.002]]},
    }
    assert 'hx-trigger="every 3s"' in answer
    assert "could not be read" not in answer
    registry.end_run(run.id, "finished")
    assert "every 3s" not in asking.get(live).text


def test_a_resumed_training_takes_lines_back(asking: TestClient, start: Callable[..., Run]) -> None:
    run = start()
    file = write(run, {"step": 1, "loss": 9.0}, {"step": 2, "loss": 8.0})
    asking.get(f"/runs/{run.id}/live")
    aside = file.with_suffix(".new")
    aside.write_text('{"step": 1, "loss": 9.0}\n{"step": 2, "loss": 3.25}\n{"step": 3, "loss": 3.0}\n')
    aside.replace(file)
    assert charts(asking.get(f"/runs/{run.id}/live").text)["Loss"] == {"loss": [[1, 9], [2, 3.25], [3, 3]]}
    file.write_text('{"step": 1, "loss": 1.5}\n{"step": 2, "loss": 1}\n')  # shorter than before
    assert charts(asking.get(f"/runs/{run.id}/live").text)["Loss"] == {"loss": [[1, 1.5], [2, 1]]}


def test_lines_that_are_none_are_counted(asking: TestClient, start: Callable[..., Run]) -> None:
    run = start()
    write(
        run, "nothing", "[1]", '{"loss": 1}', '{"step": "x", "loss": 1}', '{"step": 1e999, "loss": 1}', "[" * 100_000,
        {"step": 1, "loss": 2.0, "word": "x", "truth": True, "huge": 1e308},
        {"step": 2, "loss": 2.0},
    )  # fmt: skip
    text = asking.get(f"/runs/{run.id}").text
    assert charts(text) == {"Loss": {"loss": [[1, 2], [2, 2]]}}
    assert "6 lines of metrics.jsonl could not be read" in text


def test_without_a_file_scores_of_the_registry_are_drawn(
    asking: TestClient, start: Callable[..., Run], registry: Registry
) -> None:
    run = start(folder="")
    scores = [Score(metric="bleu", value=value, split="valid", step=step, signature="s") for step, value in ((2, 5.0), (1, 4.0), (3, float("nan")))]  # fmt: skip
    registry.add_scores(run.id, scores)
    text = asking.get(f"/runs/{run.id}").text
    assert charts(text) == {"bleu": {"bleu": [[1, 4], [2, 5]]}}
    assert "–" in text  # NaN in the table


def test_a_long_file_is_read_after_the_page_is_there(
    asking: TestClient, start: Callable[..., Run], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqloom.page.views.run.BIG_BYTES", 100)
    run = start()
    write(run, *({"step": step, "loss": 9.0} for step in range(1, 10)))
    registry.end_run(run.id, "finished")
    first = asking.get(f"/runs/{run.id}").text
    assert charts(first) == {}
    assert f'hx-get="/runs/{run.id}/live" hx-trigger="load"' in first
    assert len(charts(asking.get(f"/runs/{run.id}/live").text)["Loss"]["loss"]) == 9
    assert len(charts(asking.get(f"/runs/{run.id}").text)["Loss"]["loss"]) == 9  # by now it is known


def test_curves_are_thinned_and_keep_their_peaks() -> None:
    series = metrics.Series()
    for step in range(100_000):
        series.add(step, 1.0 if step != 77_777 else 9.0)
    points = metrics.thinned(series, 400)
    assert len(points) <= 400
    assert (points[0], points[-1]) == ((0, 1.0), (99_999, 1.0))
    assert (77_777, 9.0) in points
    assert points == sorted(points)
    assert len(metrics.thinned(series, 200_000)) == 100_000


def test_a_series_takes_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_POINTS", 1000)
    series = metrics.Series()
    for step in range(50_000):
        series.add(step, -step if step != 40_000 else 1.0)
    assert len(series.steps) < 1000
    assert (series.steps[0], series.steps[-1]) == (0, 49_999)
    assert max(series.values) == 1.0


def test_few_logs_are_kept(tmp_path: Path) -> None:
    logs = metrics.Logs()
    first = logs.of(tmp_path / "0")
    assert logs.of(tmp_path / "0") is first
    for number in range(1, metrics.KEPT + 1):
        logs.of(tmp_path / str(number))
    assert logs.of(tmp_path / "0") is not first


def test_half_characters_are_shown_as_such(asking: TestClient, start: Callable[..., Run]) -> None:
    half = "\ud800"
    run = start()
    write(run, *({"step": step, "loss": 1.0, half: 2.0} for step in (1, 2)))
    one = given("text", None, text=half) | {
        "prediction": half,
        "tokens": [half],
        "source_tokens": [half, half],
    }
    address = sampled(run, one | {"inputs": {half: {"kind": "image", "file": f"/{half}"}}}, one)
    assert half in charts(asking.get(f"/runs/{run.id}").text)["Loss"]
    assert asking.get(address).status_code == 200
    assert asking.get(f"/runs/{run.id}/attention/7/1").status_code == 200
    assert asking.get(f"{address}/0/%3F").status_code == 404


def test_a_file_that_cannot_be_read_is_named(
    asking: TestClient, start: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    write(run, {"step": 1, "loss": 1.0})

    def refused(_: int) -> None:
        raise PermissionError(13, "Permission denied", "metrics.jsonl")

    monkeypatch.setattr(metrics, "stream_state", refused)
    answer = asking.get(f"/runs/{run.id}")
    assert answer.status_code == 503
    assert "metrics.jsonl cannot be read: Permission denied" in answer.text


# Events ------------------------------------------------------------------------------------------------


def test_events_of_registry_and_file_are_one_list(
    asking: TestClient, start: Callable[..., Run], registry: Registry
) -> None:
    run = start()
    registry.add_event(
        run.id, "skipped", {"step": 4, "reason": "not finite", "ids": [1, 2], "value": 3.748929650912439}
    )
    write(
        run,
        {"step": 4, "event": "skipped", "reason": "not finite"},
        {"step": 6, "event": "split", "reason": "no memory"},
    )
    text = asking.get(f"/runs/{run.id}").text.partition('<ol class="events">')[2].partition("</ol>")[0]
    assert re.findall(r'class="kind">(\w+)', text) == ["split", "skipped"]
    assert "ids 1, 2, value 3.74893<" in text


# Samples -----------------------------------------------------------------------------------------------


def sampled(run: Run, *samples: dict[str, Any] | str, step: int = 7) -> str:
    folder = Path(run.folder) / "samples"
    folder.mkdir(exist_ok=True)
    lines = (one if isinstance(one, str) else json.dumps(one) for one in samples)
    (folder / f"{step}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"/runs/{run.id}/samples/{step}"


def given(kind: str, file: object, **more: Any) -> dict[str, Any]:
    source = {"kind": kind, "text": None, "file": None if file is None else str(file), **more}
    return {
        "id": 1,
        "inputs": {"source": source},
        "prediction": "p",
        "tokens": ["p"],
        "attention": [[0.25, 0.75]],
    }


def test_samples_of_each_kind(client: TestClient, run_of: Callable[[str], Run]) -> None:
    kinds = {"translation": "text", "captioning": "image", "speech": "audio"}
    for task, kind in kinds.items():
        run = run_of(f"kind = 'train' and status = 'finished' and task = '{task}'")
        page = client.get(f"/runs/{run.id}").text
        assert f'hx-get="/runs/{run.id}/samples/8000"' in page
        part = client.get(f"/runs/{run.id}/samples/8000").text
        assert part.count("<article") == {"text": 3}.get(kind, 2)
        media = client.get(f"/runs/{run.id}/samples/8000/0/source")
        assert media.status_code == (404 if kind == "text" else 200)
        if kind != "text":
            assert media.headers["content-type"] == {"image": "image/png", "audio": "audio/wav"}[kind]
            assert "sandbox" in media.headers["content-security-policy"]
            assert len(media.content) == int(media.headers["content-length"])
        heat = client.get(f"/runs/{run.id}/attention/8000/0").text
        data = json.loads(unescape(re.findall(r'data="([^"]*)"', heat)[0]))
        assert len(base64.b64decode(data["weights"])) == len(data["rows"]) * data["count"]
        assert (data["grid"] == [7, 7]) is (kind == "image")
    assert (
        "ein kleiner hund"
        in client.get(
            f"/runs/{run_of(chr(39).join(['task = ', 'translation', ' and kind = ', 'train', ' and status = ', 'finished', ''])).id}/samples/8000"
        ).text
    )


def test_parts_of_a_recording(client: TestClient, run_of: Callable[[str], Run]) -> None:
    run = run_of("kind = 'train' and status = 'finished' and task = 'speech'")
    address = f"/runs/{run.id}/samples/8000/0/source"
    whole = client.get(address).content

    def part(asked: str) -> tuple[int, bytes, str | None]:
        answer = client.get(address, headers={"range": asked})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    size = len(whole)
    assert part("bytes=0-3") == (206, b"RIFF", f"bytes 0-3/{size}")
    assert part("bytes=8-11") == (206, b"WAVE", f"bytes 8-11/{size}")
    assert part("bytes=-5") == (206, whole[-5:], f"bytes {size - 5}-{size - 1}/{size}")
    assert part(f"bytes={size - 2}-") == (206, whole[-2:], f"bytes {size - 2}-{size - 1}/{size}")
    assert part(f"bytes=4-{size + 99}") == (206, whole[4:], f"bytes 4-{size - 1}/{size}")
    assert part(f"bytes={size}-")[0] == 416
    assert part("bytes=-0")[0] == 416
    for ignored in ("bytes=5-3", "bytes=0-1,4-5", "lines=1-2", "bytes=-"):
        assert part(ignored) == (200, whole, None)


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_recording_is_closed_whenever_its_listener_goes(tmp_path: Path, answered: int) -> None:
    made_samples.write_sound(tmp_path / "tone.wav", 440, 30)
    medium = media.open_medium(tmp_path / "tone.wav", "audio")
    assert isinstance(medium, media.Medium)
    messages = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        if len(messages) == answered:
            raise OSError("the listener is gone")
        messages.append(message)

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    with pytest.raises(ClientDisconnect):
        asyncio.run(media.sent(medium, None)(scope, receive, send))
    assert len(messages) == answered
    assert medium.stream.closed


def test_only_pictures_and_recordings_are_sent(
    asking: TestClient, start: Callable[..., Run], tmp_path: Path
) -> None:
    run = start()
    secret = tmp_path / "secret.png"
    secret.write_text("root:x:0:0")
    vector = tmp_path / "drawing.svg"
    vector.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    picture = tmp_path / "real.png"
    picture.write_bytes(made_samples.picture(0, 8, 8))
    link = tmp_path / "link.png"
    link.symlink_to(picture)
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    huge = tmp_path / "huge.png"
    with huge.open("wb") as stream:
        stream.write(picture.read_bytes())
        stream.truncate(1 << 27)
    samples = [
        *(given("image", file) for file in (secret, vector, tmp_path, pipe, huge, "/dev/zero", tmp_path / "none.png", "real.png", None)),
        given("audio", picture),
        given("text", picture),
    ]  # fmt: skip
    address = sampled(run, *samples, given("image", picture), given("image", link))
    for position in range(len(samples)):
        answer = asking.get(f"{address}/{position}/source")
        assert answer.status_code == 404, position
        assert "root:x" not in answer.text
    for position in (len(samples), len(samples) + 1):  # links among data are usual
        assert asking.get(f"{address}/{position}/source").headers["content-type"] == "image/png"
    for nothing in ("99/source", "0/target", "-1/source", "0/..%2fsource", "x/source"):
        assert asking.get(f"{address}/{nothing}").status_code in {400, 404}


def test_the_samples_file_is_in_the_runs_folder(
    asking: TestClient, start: Callable[..., Run], tmp_path: Path
) -> None:
    run = start()
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_text(json.dumps(given("text", None, text="not yours")) + "\n")
    (Path(run.folder) / "samples").mkdir()
    (Path(run.folder) / "samples" / "9.jsonl").symlink_to(elsewhere)
    (Path(run.folder) / "metrics.jsonl").symlink_to(elsewhere)
    assert "not yours" not in asking.get(f"/runs/{run.id}/samples/9").text
    assert charts(asking.get(f"/runs/{run.id}").text) == {}
    for step in ("-1", "x", "1e3", "%2e%2e", "99999999999999999999"):
        assert asking.get(f"/runs/{run.id}/samples/{step}").status_code in {400, 404}


def test_lines_that_are_no_samples_are_counted(asking: TestClient, start: Callable[..., Run]) -> None:
    run = start()
    odd = given("text", None, text="fine") | {"attention": [[0.5], [0.5]]}  # two rows for one token
    address = sampled(run, "x", "[]", '{"id": 1}', given("smell", None), "[" * 100_000, odd)
    text = asking.get(address).text
    assert "5 lines of this file could not be read" in text
    assert "fine" in text
    assert "Attention" not in text
    assert asking.get(f"/runs/{run.id}/attention/7/0").status_code == 404


def test_a_segment_is_played_alone(asking: TestClient, start: Callable[..., Run], tmp_path: Path) -> None:
    run = start()
    made_samples.write_sound(tmp_path / "talk.wav", 440, 0.1)
    address = sampled(run, given("audio", tmp_path / "talk.wav", start_s=1.5, end_s=4))
    assert f'src="{address}/0/source#t=1.5,4.0"' in asking.get(address).text
