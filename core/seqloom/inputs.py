"""What was a model given? Texts, files and dictionaries of them to examples that know their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from seqloom.data.manifest import Located
from seqloom.data.named import named_files
from seqloom.data.splits import Slot, fragment_of
from seqloom.errors import DataError, unknown_name
from seqloom.task import Example

Given = str | dict[str, str]
"""An input: what its only slot holds, or what each slot holds."""


def located_inputs(
    inputs: Iterable[Given], slots: Mapping[str, Slot], place: Path | str
) -> Iterator[Located]:
    """Inputs as examples.

    Texts are taken as they come. Names of files are all taken before the first example is given, so that
    one that is missing is told of before anything is computed. A folder or a pattern gives an example for
    each of its files, where the model has but one slot.

    Args:
        inputs: What was given.
        slots: The model's input slots.
        place: Where the inputs come from, for errors: the file that has one a line, or a word.

    Raises:
        DataError: An input cannot be, with its number.
    """
    texts = _numbered(inputs, slots, place)
    if any(slot.files for slot in slots.values()):
        texts = iter([one for line, given in texts for one in _named(line, given, slots, place)])
    files = dict.fromkeys(slots, place) if isinstance(place, Path) else {}
    for number, (line, given) in enumerate(texts):
        yield Located(Example(number, given, None, []), files, line)


def _numbered(
    inputs: Iterable[Given], slots: Mapping[str, Slot], place: Path | str
) -> Iterator[tuple[int, dict[str, str]]]:
    """What each slot holds, with the input's number from 1."""
    for number, given in enumerate(inputs, 1):
        if isinstance(given, str):
            if len(slots) > 1:
                raise DataError(
                    f"this model takes {', '.join(slots)}: give a dictionary of them", place, number
                )
            given = dict.fromkeys(slots, given)  # noqa: PLW2901
        if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
            raise DataError("an input is a text, or a dictionary of texts", place, number)
        for slot in given.keys() - slots.keys():
            raise DataError(unknown_name("input slot", slot, slots), place, number)
        for slot, kind in slots.items():
            if not given.get(slot, "").strip():
                what = "name a file" if kind.files else "give some text"
                raise DataError(f"the {slot} is empty; {what}", place, number)
        yield number, given


def _named(
    line: int, given: dict[str, str], slots: Mapping[str, Slot], place: Path | str
) -> Iterator[tuple[int, dict[str, str]]]:
    """An input for each file that it names."""
    try:
        found = {
            slot: _files(given[slot], kind) if kind.files else [given[slot]] for slot, kind in slots.items()
        }
    except DataError as error:
        raise DataError(str(error), place, line) from error
    if len(slots) == 1:
        for slot, names in found.items():
            yield from ((line, {slot: name}) for name in names)
        return
    for slot, names in found.items():
        if len(names) > 1:
            message = f"'{given[slot]}' names {len(names)} files, and {slot} of one input is one"
            raise DataError(message, place, line)
    yield line, {slot: names[0] for slot, names in found.items()}


def _files(name: str, slot: Slot) -> list[str]:
    """The files that a name stands for; the part of each that is meant with it."""
    fragment = fragment_of(name, slot)
    return [file + fragment for file in named_files(name.removesuffix(fragment), slot.suffixes)]
