"""Which files of data a run read; inside a session of the store's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from seqloom.registry.records import DataFile
from seqloom.registry.tables import DataFileRow, RunDataRow


def use_data(session: Session, run_id: str, data: Sequence[DataFile]) -> None:
    """Enters what a run read. A content is entered once, whoever reads it and however often.

    A path whose split was not noted gives way to one whose split is.
    """
    for file in sorted(data, key=lambda file: file.sha256):  # in one order: so two writers never cross
        session.execute(_known_content(session, file))
        same = (RunDataRow.split.in_((file.split, "")), RunDataRow.path == file.path)
        session.execute(delete(RunDataRow).where(RunDataRow.run_id == run_id, *same))
        session.add(RunDataRow(run_id=run_id, split=file.split, path=file.path, sha256=file.sha256))
        session.flush()


def _known_content(session: Session, file: DataFile) -> Any:
    """Enters a content, or what was not known of it yet."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = insert(DataFileRow).values(sha256=file.sha256, bytes=file.bytes, rows=file.rows)
    return new.on_conflict_do_update(
        index_elements=[DataFileRow.sha256],
        set_={
            "bytes": func.coalesce(new.excluded.bytes, DataFileRow.bytes),
            "rows": func.coalesce(new.excluded.rows, DataFileRow.rows),
        },
    )
