"""Which rows does a Parquet file have? Read a few at a time, by whom has installed pyarrow."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
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


def parquet_rows(
    path: Path, columns: Columns, meter: Meter, numbers: Collection[str] = ()
) -> Iterator[Row | DataError]:
    """The rows of a Parquet file; their lines are their numbers from 1.

    A row that cannot be used comes as an error, not raised: others may follow it.

    Args:
        path: The file.
        columns: What is wanted of it.
        meter: Counts the bytes that are read.
        numbers: Of the columns' keys, those whose values may be numbers.

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
        wanted = list(dict.fromkeys(chain(*columns.values())))
        loose = set(chain(*(names for key, names in columns.items() if key in numbers)))
        kinds = {
            name: _arrow_type(path, name, file.schema_arrow, pyarrow, name in loose) for name in wanted
        }
        for batch in file.iter_batches(ROWS, columns=wanted):
            found = {name: _cast(batch.column(name), kind, pyarrow) for name, kind in kinds.items()}
            for number in range(batch.num_rows):
                row = {name: values[number] for name, values in found.items()}
                yield _row(path, count + number + 1, columns, row)
            count += batch.num_rows
    if count == 0:
        raise DataError("the file has no row", path)


def _row(path: Path, number: int, columns: Columns, values: Mapping[int | str, Any]) -> Row | DataError:
    try:
        texts = {slot: [text for name in names for text in _texts(values[name], name)]
                 for slot, names in columns.items()}  # fmt: skip
    except DataError as error:
        return DataError(str(error), path, number)
    return Row(texts, number)


def _texts(value: bytes | list[bytes | None] | None, name: int | str) -> Iterator[str]:
    for content in value if isinstance(value, list) else [value]:
        if content is None:
            raise DataError(f"'{name}' is null in this row")
        try:
            yield content.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"'{name}' is not UTF-8 in this row: {error.reason}") from error


def _arrow_type(path: Path, column: int | str, schema: Any, pyarrow: Any, may_be_number: bool) -> Any:
    """What to cast a column to: bytes, as rows that are not UTF-8 are for us to tell."""
    if isinstance(column, int):
        raise DataError(f"column {column} needs a name: Parquet's columns have names", path)
    if column not in schema.names:
        raise DataError(unknown_name("column", column, schema.names), path)
    types, kind = pyarrow.types, schema.field(column).type
    is_list = types.is_list(kind) or types.is_large_list(kind)
    inner = kind.value_type if is_list else kind
    if may_be_number and (types.is_integer(kind) or types.is_floating(kind)):
        return pyarrow.large_binary()
    if not (types.is_string(inner) or types.is_large_string(inner) or types.is_string_view(inner)):
        raise DataError(
            f"column '{column}' needs to be of strings or lists of strings, not of {kind}", path
        )
    return pyarrow.large_list(pyarrow.large_binary()) if is_list else pyarrow.large_binary()


def _cast(column: Any, kind: Any, pyarrow: Any) -> list[Any]:
    """A column's values as bytes; numbers as they are written."""
    types = pyarrow.types
    if types.is_integer(column.type) or types.is_floating(column.type):
        column = column.cast(pyarrow.large_string())
    return column.cast(kind).to_pylist()  # type: ignore[no-any-return]


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
