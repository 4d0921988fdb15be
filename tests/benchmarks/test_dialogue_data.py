"""Examples made of dialogues: each of the system's turns after all before it, and no dialogue in two splits."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dialogue_data", ROOT / "benchmarks" / "dialogue_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dialogue(name: str, turns: int) -> dict[str, Any]:
    return {
        "id": name,
        "services": ["Taxi_1", "Hotels_2"],
        "turns": [f" {name}  says\n{number}" for number in range(turns)],
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    (root / "sgd_dialogue").mkdir()
    for split, count in (("train", 5), ("dev", 20), ("test", 3)):
        with gzip.open(root / "sgd_dialogue" / f"{split}.jsonl.gz", "wt") as lines:
            for number in range(count):
                lines.write(json.dumps(dialogue(f"{split}{number}", 3 + number % 2)) + "\n")
    return root


def run(script: ModuleType, data: Path, folder: Path, *words: str) -> dict[str, list[dict[str, str]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQLOOM_DATA", str(data))
        patch.setattr(sys, "argv", ["dialogue_data.py", str(folder), *words])
        script.main()
    return {
        file.stem: [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted(folder.iterdir())
    }


def test_an_example_is_all_turns_so_far_and_the_systems_next(
    script: ModuleType, data: Path, tmp_path: Path
) -> None:
    made = run(script, data, tmp_path / "new" / "folder", "--valid", "4")
    assert list(made) == ["test", "train", "valid"]
    assert made["test"] == [
        {"history": "<user> test0 says 0", "reply": "test0 says 1", "service": "Hotels_2+Taxi_1"},
        {"history": "<user> test1 says 0", "reply": "test1 says 1", "service": "Hotels_2+Taxi_1"},
        {
            "history": "<user> test1 says 0 <system> test1 says 1 <user> test1 says 2",
            "reply": "test1 says 3",
            "service": "Hotels_2+Taxi_1",
        },
        {"history": "<user> test2 says 0", "reply": "test2 says 1", "service": "Hotels_2+Taxi_1"},
    ]
    assert len(made["train"]) == 3 + 2 * 2


def test_a_reply_in_which_nothing_is_said_is_no_example(script: ModuleType) -> None:
    found = script.examples({"services": ["Taxi_1"], "turns": ["Hello.", " ", "Hello?", "Yes?"]})
    assert list(found) == [
        {"history": "<user> Hello. <system> <user> Hello?", "reply": "Yes?", "service": "Taxi_1"}
    ]


def test_valid_is_of_so_many_dialogues_of_dev_by_a_seed(
    script: ModuleType, data: Path, tmp_path: Path
) -> None:
    made = [run(script, data, tmp_path, "--valid", "4", "--seed", seed)["valid"] for seed in "112"]
    names = [{example["reply"].split()[0] for example in valid} for valid in made]
    assert all(len(found) == 4 for found in names)
    assert all(name.startswith("dev") for found in names for name in found)
    assert made[0] == made[1] != made[2]


def test_the_plugin_reads_what_was_written(script: ModuleType, data: Path, tmp_path: Path) -> None:
    from seqloom_dialogue.turns import Turn, read_turns

    made = run(script, data, tmp_path, "--valid", "1")
    assert read_turns(made["test"][2]["history"]) == [
        Turn("user", "test1 says 0"),
        Turn("system", "test1 says 1"),
        Turn("user", "test1 says 2"),
    ]
