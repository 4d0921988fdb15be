"""Sphinx: `make docs` builds the pages, warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

import seqloom

sys.path.insert(0, str(Path(__file__).parent))  # reference.py

project = "Seqloom"
author = "The Seqloom authors"
copyright = author
release = seqloom.__version__

extensions = ["myst_parser", "reference"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Seqloom"
html_show_copyright = False
