"""Fitted tokenizers in JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqloom.errors import CorruptError, StorageError
from seqloom.tokenizer.base import Tokenizer


def save_tokenizer(path: Path, name: str, options: Mapping[str, Any], tokenizer: Tokenizer) -> None:
    """Writes a fitted tokenizer as one JSON file.

    Args:
        path: The file to write.
        name: The tokenizer's name in the catalog.
        options: What it was built with, JSON-able.
        tokenizer: The tokenizer.

    Raises:
        StorageError: The file cannot be written.
    """
    record = {"name": name, "options": dict(options), "state": tokenizer.state()}
    try:
        path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot write the tokenizer: {error.strerror}") from error


def read_tokenizer_file(path: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Reads what :func:`save_tokenizer` wrote.

    Returns:
        Name and options, from which to build the tokenizer, and the state to restore.

    Raises:
        StorageError: The file cannot be read.
        CorruptError: It is not a tokenizer's file.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: cannot read the tokenizer: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"{path}: not a tokenizer's file: {error}") from error
    match record:
        case {"name": str(name), "options": dict(options), "state": dict(state)}:
            return name, options, state
    raise CorruptError(f"{path}: not a tokenizer's file: it needs 'name', 'options' and 'state'")
