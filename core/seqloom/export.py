"""A model folder: whole by itself, readable by people, never pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqloom.build import Builder
from seqloom.jsonable import jsonable
from seqloom.model import Seq2Seq
from seqloom.pins import Pin, pins_of, saved_pins
from seqloom.registry.records import Score
from seqloom.storage import save_tensors, write_folder, write_json
from seqloom.tokenizer import Tokenizer
from seqloom.trainer import Outcome


def export_model(
    folder: Path,
    builder: Builder,
    model: Seq2Seq,
    tokenizers: Mapping[str, Tokenizer],
    outcome: Outcome,
    versions: Mapping[str, str],
) -> str:
    """Writes a model folder.

    Returns:
        sha256 of its manifest.
    """
    job = builder.config.model_dump(mode="json")
    pins = pins_of(builder.config, builder.catalog)

    def write(aside: Path) -> None:
        save_tensors(aside / "model.safetensors", model.weights())
        builder.save_tokenizers(aside / "tokenizers", tokenizers)
        config = {
            "job": job,
            "steps": outcome.step,
            "versions": dict(versions),
            "plugins": saved_pins(pins),
        }
        write_json(aside / "config.json", config)
        write_json(aside / "generation_config.json", job["decode"])
        write_json(aside / "metrics.json", jsonable(outcome.scores))
        card = _card(job, model, outcome, versions, pins)
        (aside / "README.md").write_text(card, encoding="utf-8")

    return write_folder(folder, write)


def _card(
    job: Mapping[str, Any],
    model: Seq2Seq,
    outcome: Outcome,
    versions: Mapping[str, str],
    pins: Sequence[Pin],
) -> str:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    parts = {
        kind: part["name"]
        for kind in ("encoder", "attention", "decoder", "head")
        if (part := job["model"][kind]) is not None
    }
    steps = (
        f"the mean of the checkpoints at steps {', '.join(map(str, outcome.averaged))}"
        if len(outcome.averaged) > 1
        else f"the checkpoint at step {outcome.step}"
    )
    return f"""# {job["name"]}

A model for {job["task"]["name"]}, trained by seqloom {versions["seqloom"]}.

| | |
|---|---|
| parameters | {parameters:,} |
| parts | {", ".join(f"{kind} {name}" for kind, name in parts.items())} |
| plugins | {", ".join(f"{pin.distribution} {pin.version}" for pin in pins) or "none"} |
| weights | {steps} |
| seed | {job["train"]["seed"]} |
| data | {_data(job["data"]["train"])} |

## Scores

{_table(outcome.scores)}

## Use

```python
import seqloom

model = seqloom.load("path/to/this/folder")
model.predict(["..."])
```
"""


def _data(split: Any) -> str:
    if isinstance(split, list):
        return "; ".join(map(_data, split))
    if "columns" in split:
        files, weight = [split["file"]], split["weight"]
    elif isinstance(split.get("files"), dict):
        files, weight = list(split["files"].values()), split["weight"]
    else:
        files, weight = list(split.values()), 1  # the short form
    names = [name for given in files for name in (given if isinstance(given, list) else [given])]
    return ", ".join(names) + ("" if weight == 1 else f" (weight {weight:g})")


def _table(scores: Sequence[Score]) -> str:
    rows = [
        f"| {score.metric} | {score.value:.2f} | {score.split} | `{_cell(score.signature)}` |"
        for score in scores
    ]
    return "\n".join(["| score | value | split | signature |", "|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    """Text as a cell of a Markdown table, which a bare ``|`` would end, within backticks too."""
    return text.replace("|", "\\|")
