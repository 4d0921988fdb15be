"""``python -m seqloom`` is ``seqloom``: for launchers that want a module."""

from __future__ import annotations

from seqloom.cli.main import main

main()
