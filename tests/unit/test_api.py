"""From Python: a job file to a model, a model to texts."""

from __future__ import annotations

from typing import Any

import pytest

import seqloom
from seqloom import api
from seqloom.errors import SeqloomError


def test_a_trained_model_is_found_by_name_and_by_folder(workplace: Any) -> None:
    trained = api.train(workplace.job, overrides=["train.steps=1"])
    assert trained.model.uri == "models:/reverser/1"
    assert trained.run.status == "finished"
    by_name = seqloom.load("models:/reverser/1", device="cpu")
    by_folder = seqloom.load(trained.model.folder, device="cpu")
    assert by_name.predict(["1 2 3"]) == by_folder.predict(["1 2 3"])
    assert by_name.uri == "models:/reverser/1"
    assert by_name.steps == 1


def test_a_model_that_is_not_there(workplace: Any) -> None:
    with pytest.raises(SeqloomError, match="no model 'nobody'"):
        seqloom.load("models:/nobody/1")


def test_the_public_names_stay_what_they_are() -> None:
    assert seqloom.load is api.load
    assert seqloom.train is api.train


def test_overrides_come_as_a_list(workplace: Any) -> None:
    with pytest.raises(seqloom.SeqloomError, match=r"overrides is a list, as \['train.steps=1'\]"):
        seqloom.train(workplace.job, overrides="train.steps=1")
