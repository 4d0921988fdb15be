from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from seqloom.config import JobConfig
from seqloom.hooks import Options
from seqloom.keys import explain, keys_of, known_keys, models_in, shown


class One(Options):
    name: Literal["one", "first"] = Field("one", description="Which.")
    size: int = Field(3, ge=1, lt=9, description="How big.")


class Two(Options):
    name: Literal["two"] = "two"
    rates: tuple[Annotated[float, Field(gt=0)], float] = (0.5, 1)


class Whole(Options):
    choice: Annotated[One | Two, Field(discriminator="name")] = One()
    words: dict[str, int | None] = Field({}, description="Counts.")
    flag: bool = False
    need: str = Field(pattern="^[a-z]+$")
    tags: list[str] = Field(default_factory=lambda: ["a"])
    other: One | None = None
    limit: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _check(self) -> Whole:
        if self.flag and "x" in self.words:
            raise ValueError("flag, and x")
        return self


def test_keys_tell_type_default_and_meaning() -> None:
    keys = {key.name: (key.type, key.default, key.description) for key in keys_of(Whole)}
    assert keys["choice.size"] == ("whole number >= 1 < 9", "3", "How big.")
    assert keys["choice.rates"] == ("list of number > 0", "[0.5, 1]", "")
    assert keys["choice.name"][0] == "two"
    assert keys["words"] == ("mapping to whole number | null", "{}", "Counts.")
    assert keys["flag"] == ("true | false", "false", "")
    assert keys["need"] == ("text", "required", "")
    assert keys["tags"] == ("list of text", '["a"]', "")
    assert keys["limit"][0] == "number > 0 | null"


class Place(Options):
    row: int = Field(description="From 0.")


class Places(Options):
    one: Place
    perhaps: Place | None = Field(None, description="Where.")
    either: dict[str, int] | Place


def test_a_section_that_may_be_something_else_is_a_key_and_its_keys_are_required_there() -> None:
    keys = {key.name: (key.type, key.default) for key in keys_of(Places)}
    assert keys == {
        "one.row": ("whole number", "required"),
        "perhaps": ("null", "null"),
        "perhaps.row": ("whole number", "required there"),
        "either": ("mapping to whole number", "required"),
        "either.row": ("whole number", "required there"),
    }


class Lists(Options):
    places: tuple[Place, ...] = ()


def test_keys_of_a_lists_sections_are_told() -> None:
    keys = {key.name: (key.type, key.default) for key in keys_of(Lists)}
    assert keys == {
        "places": ("list of mappings", "[]"),
        "places.*.row": ("whole number", "required there"),
    }
    assert known_keys(Lists, {"places": [{"rwo": 1}]}, ("places", 0)) == ["row"]


def test_every_key_of_a_job_is_described() -> None:
    keys = {key.name: key for key in keys_of(JobConfig)}
    assert not [key.name for key in keys.values() if not key.description]
    assert keys["train.steps"].type == "whole number >= 1"
    assert keys["model.head"].type == "part"
    assert keys["model.head"].default == '{"name": "sequence"}'
    assert keys["name"].default == "required"


def test_models_of_unions_and_annotations() -> None:
    assert models_in(One | None) == [One]
    assert models_in(Annotated[One | Two, "x"]) == [One, Two]
    assert models_in(list[One]) == []


def test_known_keys_follow_the_variant() -> None:
    assert known_keys(Whole, {}, ()) == ["choice", "words", "flag", "need", "tags", "other", "limit"]
    assert known_keys(Whole, {"choice": {"name": "two"}}, ("choice",)) == ["name", "rates"]
    assert known_keys(Whole, {"choice": {"name": "first"}}, ("choice",)) == ["name", "size"]
    assert known_keys(Whole, {"words": {"a": 1}}, ("words",)) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"need": 3}, "expected text, found 3"),
        ({"need": None}, "expected text, found null"),
        ({"need": "A" * 99}, f"string should match pattern '^[a-z]+$', found '{'A' * 56}..."),
        ({}, "is missing"),
        ({"flag": "maybe"}, "expected true or false, found 'maybe'"),
        ({"flag": [1]}, "expected true or false, found a list"),
        ({"words": 3}, "expected a mapping, found 3"),
        ({"words": {"a": "b"}}, "expected a whole number, found 'b'"),
        ({"words": {"a": 1.5}}, "expected a whole number, found 1.5"),
        ({"tags": {"a": 1}}, "expected a list, found a mapping"),
        ({"other": {"size": 0}}, "expected greater than or equal to 1, found 0"),
        ({"other": {"name": "x"}}, "expected 'one' or 'first', found 'x'"),
        ({"other": True}, "expected a mapping, found true"),
        ({"flag": True, "words": {"x": 1}}, "flag, and x"),
        (
            {"choice": {"name": "two", "rates": [1, 0.1, 5]}},
            "tuple should have at most 2 items after validation, not 3, found a list",
        ),
        ({"choice": 3}, "expected a mapping, found 3"),
        ({"choice": {"size": 2}}, "says no name, which tells what it is"),
        ({"choice": {"name": "six"}}, "expected a name out of 'one', 'first', 'two', found 'six'"),
    ],
)
def test_errors_say_what_was_expected_and_found(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({"need": "a"} | given if given else {})
    (detail,) = caught.value.errors()
    assert explain(detail) == message


def test_values_are_shown_short() -> None:
    assert [shown(value) for value in (None, True, 1.5, "a", [1], {"a": 1})] == [
        "null",
        "true",
        "1.5",
        "'a'",
        "a list",
        "a mapping",
    ]
    assert len(shown("x" * 500)) == 60
