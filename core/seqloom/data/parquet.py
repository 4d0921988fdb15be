"""Which rows does a Parquet file have? Read a few at a time, by whom has installed pyarrow."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqloom.data.files import Meter
from seqloom.data.tables import Columns, Row
from seqloom.errors import ConfigError, DataError, StorageError, unknown_name

SUFFIX = ".parquet"
ROWS = 1000
"""Rows that are read together."""


def check_parquet(path: Path) -> None:
    """Looks whether Parquet files can be read here.

    Raises:
        ConfigError: The package that reads them is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ConfigError(
            f"{path}: to read Parquet takes the package pyarrow, which is not installed; "
            "pip install 'seqloom[parquet]'"
        )


def parquet_rows(path: Path, columns: Columns, meter: Meter) -> Iterator[Row | DataError]:
    """The rows of a Parquet file; their lines are their numbers from 1.

    A row that cannot be used comes as an error, not raised: others may follow it.

    Args:
        path: The file.
        columns: What is wanted of it.
        meter: Counts the bytes that are read.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: The file is damaged, or lacks a column of text.
        StorageError: It cannot be read.
    """
    check_parquet(path)
    import pyarrow  # noqa: PLC0415 - an extra
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    count = 0
    with _errors(path), meter.open(path) as raw:
        file = ParquetFile(raw)
        for column in columns.values():
            _check_column(path, column, file.schema_arrow, pyarrow.types)
        for batch in file.iter_batches(ROWS, columns=list(dict.fromkeys(columns.values()))):
            wanted = [batch.column(column).cast(pyarrow.large_binary()) for column in columns.values()]
            rows = zip(*(column.to_pylist() for column in wanted), strict=True)
            for number, row in enumerate(rows, count + 1):
                yield _row(path, number, columns, row)
            count += batch.num_rows
    if count == 0:
        raise DataError("the file has no row", path)


def _row(path: Path, number: int, columns: Columns, values: tuple[bytes | None, ...]) -> Row | DataError:
    texts = {}
    for (slot, column), value in zip(columns.items(), values, strict=True):
        if value is None:
            return DataError(f"'{column}' is null in this row", path, number)
        try:
            texts[slot] = value.decode()
        except UnicodeDecodeError as error:
            return DataError(f"'{column}' is not UTF-8 in this row: {error.reason}", path, number)
    return Row(texts, number)


def _check_column(path: Path, column: int | str, schema: Any, types: Any) -> None:
    if isinstance(column, int):
        raise DataError(f"column {column} needs a name: Parquet's columns have names", path)
    if column not in schema.names:
        raise DataError(unknown_name("column", column, schema.names), path)
    kind = schema.field(column).type
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
        raise DataError(f"column '{column}' needs to be of strings, not of {kind}", path)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Pyarrow's errors in our words; an OSError of its own, without a number, is of damaged bytes."""
    from pyarrow import ArrowException  # noqa: PLC0415

    try:
        yield
    except FileNotFoundError as error:
        raise DataError("there is no such file", path) from error
    except OSError as error:
        if error.errno is None:
            raise DataError(f"broken Parquet: {error}", path) from error
        raise StorageError(f"{path}: cannot read it: {error.strerror}") from error
    except ArrowException as error:
        raise DataError(f"broken Parquet: {error}", path) from error
