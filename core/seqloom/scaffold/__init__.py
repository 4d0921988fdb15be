"""A whole plugin to begin with: names that can be one, and templates filled with them."""

from __future__ import annotations

from seqloom.scaffold.names import Names
from seqloom.scaffold.writing import TEMPLATES, write_plugin

__all__ = ["TEMPLATES", "Names", "write_plugin"]
