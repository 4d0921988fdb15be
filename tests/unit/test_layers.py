from __future__ import annotations

import re

import pytest

from seqloom.errors import ConfigError
from seqloom.layers import Node, merge, read_yaml


def read(text: str) -> Node:
    return read_yaml(text, "job.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        (".5", 0.5),
        ("-2.", -2.0),
        ("7", 7),
        ("-7", -7),
        ("1_000", 1000),
        ("010", "010"),
        ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("null", None),
        ("~", None),
        (".inf", ".inf"),
        ("'7'", "7"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_values_are_what_they_look_like(text: str, value: object) -> None:
    found = read(f"key: {text}").plain()["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_line() -> None:
    tree = read("a: 1\nb:\n  c:\n    - x\n    - {y: 2}\n  d:\n")
    places = [("a",), ("b",), ("b", "c"), ("b", "c", 0), ("b", "c", 1, "y"), ("b", "d")]
    assert [tree.at(place).origin for place in places] == [
        f"job.yaml:{line}" for line in (1, 2, 3, 4, 5, 6)
    ]  # type: ignore[union-attr]
    assert tree.plain() == {"a": 1, "b": {"c": ["x", {"y": 2}], "d": None}}
    assert tree.at(("b", "c", 2)) is None
    assert tree.at(("a", "x")) is None
    assert tree.origin_of(("b", "c", 1, "z")) == "job.yaml:5"
    assert tree.origin_of(("z",)) == "job.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "job.yaml:3: the key 'a' is there already: job.yaml:1"),
        ("a: {b: 1, b: 2}", "job.yaml:1: the key 'b' is there already: job.yaml:1"),
        ("a: [1\nb: 2", "job.yaml:2: "),
        ("a: 1\n\tb: 2", "job.yaml:2: found character '\\t' that cannot start any token"),
        ("a: &x 1\nb: *x", "job.yaml:2: aliases (*) are not allowed here"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "job.yaml:2: tags (tag:yaml.org,2002:python"),
        ("a: !!set {b}", "job.yaml:1: tags (tag:yaml.org,2002:set) are not allowed here"),
        ("a: 1\n--- \nb: 2", "job.yaml:2: but found another document"),
        ("a: 1\n0: 2", "job.yaml:2: the key '0' is not a text; put it in quotes"),
        ("a: 1\n? [b]\n: 2", "job.yaml:2: the key of several parts is not a text; put it in quotes"),
        (f"a: 1\nb: {'9' * 5000}", "job.yaml:2: this value cannot be read: Exceeds the limit"),
        ("? [a]\n: 1", "job.yaml:1: the key "),
        ("a: \x07", "job.yaml: unacceptable character #x0007"),
        ("a: " + "[" * 5000, "job.yaml: nested too deeply"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match="^" + re.escape(message)):
        read(text)


def test_an_empty_document_is_nothing() -> None:
    assert read("# only words\n").plain() is None


def of(value: object, origin: str) -> Node:
    return Node.of(value, origin)


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}}, {"a": 1, "b": {"c": 4, "d": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"name": "x", "b": 1}}, {"a": {"name": "x", "c": 2}}, {"a": {"name": "x", "b": 1, "c": 2}}),
        ({"a": {"name": "x", "b": 1}}, {"a": {"c": 2}}, {"a": {"name": "x", "b": 1, "c": 2}}),
        ({"a": {"name": "x", "b": 1}}, {"a": {"name": "y"}}, {"a": {"name": "y"}}),
        ({"name": "x", "b": 1}, {"name": "y"}, {"name": "y", "b": 1}),
        ({"tokenizers": {"joint": 1}}, {"tokenizers": {"target": 2}}, {"tokenizers": {"target": 2}}),
        (
            {"tokenizers": {"source": 1, "target": 1}},
            {"tokenizers": {"joint": 2}},
            {"tokenizers": {"joint": 2}},
        ),
        (
            {"tokenizers": {"source": 1}},
            {"tokenizers": {"target": 2}},
            {"tokenizers": {"source": 1, "target": 2}},
        ),
        ({"tokenizers": {"joint": 1}}, {"tokenizers": {}}, {"tokenizers": {"joint": 1}}),
        ({"data": {"train": {"x": 1}}}, {"data": {"train": {"file": 2}}}, {"data": {"train": {"file": 2}}}),
        ({"data": {"test": {"file": 1}}}, {"data": {"test": {"x": 2}}}, {"data": {"test": {"x": 2}}}),
        (
            {"data": {"valid": {"file": 1}}},
            {"data": {"valid": {"columns": 2}}},
            {"data": {"valid": {"file": 1, "columns": 2}}},
        ),
        (
            {"data": {"train": {"file": 1}}},
            {"data": {"train": {"weight": 2}}},
            {"data": {"train": {"file": 1, "weight": 2}}},
        ),
        (
            {"data": {"train": {"file": 1}}},
            {"data": {"train": {"weight": 2, "targets": 3}}},
            {"data": {"train": {"file": 1, "weight": 2, "targets": 3}}},
        ),
        (
            {"data": {"train": {"x": 1}}},
            {"data": {"train": {"files": {"x": 2}}}},
            {"data": {"train": {"files": {"x": 2}}}},
        ),
        (
            {"data": {"train": {"x": 1}}},
            {"data": {"train": {"files": "a"}}},
            {"data": {"train": {"x": 1, "files": "a"}}},
        ),
        (
            {"data": {"train": {"files": {"x": 1}}}},
            {"data": {"train": {"x": 2}}},
            {"data": {"train": {"x": 2}}},
        ),
    ],
)
def test_the_upper_layer_wins(lower: object, upper: object, merged: object) -> None:
    assert merge(of(lower, "low"), of(upper, "high")).plain() == merged


def test_merged_values_keep_their_origins() -> None:
    tree = merge(of({"a": 1, "b": {"c": 2}}, "low"), of({"b": {"d": [3]}}, "high"))
    places = [("a",), ("b", "c"), ("b", "d"), ("b", "d", 0)]
    assert [tree.origin_of(place) for place in places] == ["low", "low", "high", "high"]


def test_patterns_find_every_key_and_position() -> None:
    tree = of({"a": {"x": 1, "y": 2}, "b": [3, 4], "c": 5}, "low")
    found = [
        (path, node.value)
        for pattern in (("a", "*"), ("b", "*"), ("c",), ("c", "*"), ("d",))
        for path, node in tree.matching(pattern)
    ]
    assert found == [(("a", "x"), 1), (("a", "y"), 2), (("b", 0), 3), (("b", 1), 4), (("c",), 5)]
