"""What people say of runs and models: tags, notes, that they are deleted; in a session of the store's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from seqloom.errors import ConfigError, unknown_name
from seqloom.registry.lookup import check_name
from seqloom.registry.tables import ModelRow, NoteRow, RunRow, TagRow

LONGEST_TAG: Final = 1000
LONGEST_NOTE: Final = 10_000
BLANKS: Final = str.maketrans("", "", "\n\t")
"""What a note may have besides signs that can be printed."""


def retag(row: RunRow | ModelRow, tags: Mapping[str, str | None]) -> None:
    """Sets a run's or a model's tags, and takes those away whose value is None."""
    there = {tag.key: tag for tag in row.tags}
    for key, value in tags.items():
        check_name("a tag", key)
        if value is None:
            if key not in there:
                raise ConfigError(unknown_name("tag", key, there))
            row.tags.remove(there[key])
        elif not value.isprintable() or len(value) > LONGEST_TAG:
            raise ConfigError(
                f"tag {key}: {value[:40]!r} is no value: use up to {LONGEST_TAG} characters of one line"
            )
        elif key in there:
            there[key].value = value
        else:
            row.tags.append(TagRow(key=key, value=value))


def add_note(row: RunRow | ModelRow, text: str, at: datetime) -> None:
    """Adds a note to a run or a model."""
    if not text.strip() or not text.translate(BLANKS).isprintable() or len(text) > LONGEST_NOTE:
        raise ConfigError(
            f"{text[:40]!r} is no note: use up to {LONGEST_NOTE:,} characters, of which one can be seen"
        )
    row.notes.append(NoteRow(text=text, at=at))


def mark_deleted(what: str, row: RunRow | ModelRow, at: datetime) -> None:
    """Marks a run or a model, called ``what``, as deleted."""
    if row.deleted_at is not None:
        raise ConfigError(f"{what} was deleted at {row.deleted_at:%Y-%m-%d %H:%M:%S} UTC already")
    row.deleted_at = at


def mark_restored(what: str, row: RunRow | ModelRow) -> None:
    """Takes back that a run or a model, called ``what``, was deleted."""
    if row.deleted_at is None:
        raise ConfigError(f"{what} is not deleted")
    if row.purged_at is not None:
        raise ConfigError(f"the files of {what} were removed at {row.purged_at:%Y-%m-%d %H:%M:%S} UTC")
    row.deleted_at = None
