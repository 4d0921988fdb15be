"""The kit tells a whole plugin from broken ones, and says what nobody could test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqloom.testing import conformance
from seqloom.testing.conformance import Verdict, check

Install = Callable[..., Path]

ENCODER = """
from pydantic import Field
from seqloom.hooks import EncoderSpec, ModalitySpec, NoOptions, Options, hookimpl
seqloom_api = 1

class Given(Options):
    layers: int = Field(1, description="How many.")

def load():
    from fake_given_code import Given
    return lambda options, parts: Given(parts.width)

@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="given", summary="Given", options=Given, load=load)]
"""
CODE = """
import torch
from torch import nn
from seqloom.batch import Memory
from seqloom.nn.encoder import Encoder, masked_mean

class Given(Encoder):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.final_shape = (1, width)
        self.layer = nn.Linear(width, width)
        self.register_buffer("shift", torch.randn(width), persistent=True)

    def forward(self, features):
        values = self.layer(features.values) + self.shift
        return Memory(values, features.lengths, masked_mean(values, features.mask()))
"""
FILES = """
from seqloom.hooks import ModalitySpec, NoOptions, hookimpl
seqloom_api = 1

class Silent:
    pass

@hookimpl
def seqloom_modalities():
    return [ModalitySpec(name="silent", summary="Silence", options=NoOptions,
                         load=lambda: lambda options, tokenizer: Silent(), files=[".sil"])]
"""


@pytest.fixture
def checked(install: Install, tmp_path: Path) -> Iterator[Callable[..., list[Verdict]]]:
    """``checked(entry, code)``: the verdicts on a plugin of these two modules."""

    def run(entry: str, code: str = CODE, tests: Path | None = None) -> list[Verdict]:
        site = install("given", entry)
        (site / "fake_given_code.py").write_text(code)
        return list(check("seqloom-given", tests))

    yield run
    sys.modules.pop("fake_given_code", None)


def broken(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.check: verdict.advice for verdict in verdicts if verdict.state == "broken"}


def test_a_whole_plugin_keeps_everything(checked: Callable[..., list[Verdict]]) -> None:
    verdicts = checked(ENCODER)
    assert {verdict.state for verdict in verdicts} == {"kept"}
    checks = {verdict.check for verdict in verdicts}
    assert {
        "the entry module imports no torch",
        "unknown options are refused",
        "every option is described",
        "options survive json",
        "an example alone is as in a batch",
        "gradients reach every parameter",
        "a model folder is the same when loaded",
    } <= checks
    assert {verdict.part for verdict in verdicts} == {
        "plugin 'given' (seqloom-given 0.1)",
        "encoder 'given'",
    }


@pytest.mark.parametrize(
    ("before", "after", "wanted", "advice"),
    [
        (
            "masked_mean(values, features.mask())",
            "values.mean(1, keepdim=True)",
            "an example alone is as in a batch",
            "mask padding",
        ),
        (
            "persistent=True",
            "persistent=False",
            "a model folder is the same when loaded",
            "keep all that a result depends on",
        ),
        (
            "(1, width)",
            "(2, width)",
            "shapes are those announced",
            "return what the interface's docstring says",
        ),
    ],
)
def test_broken_code_is_told_with_what_to_do(
    before: str, after: str, wanted: str, advice: str, checked: Callable[..., list[Verdict]]
) -> None:
    assert before in CODE
    assert advice in broken(checked(ENCODER, CODE.replace(before, after)))[wanted]


def test_an_option_without_a_word_is_told(checked: Callable[..., list[Verdict]]) -> None:
    told = broken(checked(ENCODER.replace(', description="How many."', "")))
    assert told == {
        "every option is described": "encoder 'given': option 'layers' has no description; give the field a "
        "description: it is its help text"
    }


def test_code_that_ends_the_program_does_not_end_the_check(checked: Callable[..., list[Verdict]]) -> None:
    told = broken(checked(ENCODER, "raise SystemExit(3)"))
    assert "SystemExit: 3" in told["the code of each part is there"]


def test_a_plugin_that_was_set_aside_is_told_with_the_reason(checked: Callable[..., list[Verdict]]) -> None:
    told = broken(checked("raise ImportError('no libfoo')"))
    assert "no libfoo" in told["it can be used"]


def test_a_distribution_without_plugin_is_told() -> None:
    assert "no entry point of it is found" in broken(list(check("seqloom-nowhere", None)))["it can be used"]


def test_what_needs_data_is_unchecked_where_there_are_no_tests(
    checked: Callable[..., list[Verdict]],
) -> None:
    verdicts = checked(FILES)
    [unchecked] = [verdict for verdict in verdicts if verdict.state == "unchecked"]
    assert unchecked.check == "own tests inherit ModalityContract"
    assert "check the folder of its source" in unchecked.advice
    assert broken(verdicts) == {}


@pytest.mark.slow
def test_what_needs_data_is_broken_where_own_tests_lack_the_contract(
    checked: Callable[..., list[Verdict]], tmp_path: Path
) -> None:
    tests = tmp_path / "own" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text("def test_nothing():\n    assert False\n")  # is its author's affair
    told = broken(checked(FILES, tests=tests))
    assert list(told) == ["own tests inherit ModalityContract"]
    assert "write a test that inherits seqloom.testing.ModalityContract" in next(iter(told.values()))


OWN = """
from seqloom.testing import ModalityContract

class TestSilent(ModalityContract):
    module = "json"

    def build(self):
        raise RuntimeError("no silence")

    def raws(self, tmp_path):
        return []
"""


@pytest.mark.slow
def test_own_contracts_that_are_broken_are_told(
    checked: Callable[..., list[Verdict]], tmp_path: Path
) -> None:
    tests = tmp_path / "own" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text(OWN)
    verdicts = checked(FILES, tests=tests)
    told = broken(verdicts)
    assert "no silence" in told["TestSilent::test_reading_again_is_the_same"]
    assert (
        "`read` depends on nothing but what it is given"
        in told["TestSilent::test_reading_again_is_the_same"]
    )
    kept = {verdict.check for verdict in verdicts if verdict.state == "kept"}
    assert "TestSilent::test_the_entry_module_imports_no_torch" in kept


METRIC = """
from seqloom.hooks import MetricSpec, NoOptions, hookimpl
seqloom_api = 1

def load():
    from seqloom.metrics import Metric
    class Sum(Metric):
        def count(self, hypothesis, references):
            return abs(float(hypothesis) - float(references[0]))
        def value(self, counts):
            return sum(counts)
        def signature(self):
            return "sum"
    return lambda options: Sum()

@hookimpl
def seqloom_metrics():
    return [MetricSpec(name="sum", summary="Sum", options=NoOptions, load=load, higher_is_better=False)]
"""


def test_a_metric_of_numbers_is_tested_by_its_own_tests(
    checked: Callable[..., list[Verdict]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "could not convert" in broken(checked(METRIC))["a score is a finite number"]
    kept = {
        "test": "tests/test_it.py::TestSum::test_x",
        "contracts": ["MetricContract"],
        "outcome": "passed",
    }
    monkeypatch.setattr(conformance, "_own_tests", lambda tests: [kept | {"said": ""}])
    verdicts = list(check("seqloom-given", Path("tests")))
    assert broken(verdicts) == {}
    assert "own tests inherit MetricContract" in {verdict.check for verdict in verdicts}
