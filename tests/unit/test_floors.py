"""The house's floors: imports go down only, rooms stay small, and light doors stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "seqloom"
LONGEST_FILE = 400

FLOORS = {
    0: "errors deprecation hooks builtin catalog compatibility containment discovery plugincheck pins config jobfile jobcheck keys layers jsonable vocabulary registry scaffold",
    1: "batch drawing storage device world collectives allocator nn tokenizer metrics search",
    2: "modality task head",
    3: "model averaging data baselines fixed optim checkpoint judging reduction step trainer progress evaluate decode journal stream session predictions surroundings",
    4: "build prepare training datacheck checkup export inputs predictor ledger waiting site samples datafiles recording held following collection foreign archive arrivals transfer jobs api page cli __main__ testing",
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
RUNTIME = set(FLOORS[3].split())
LAZY = {"builtin"}  # its `load` functions import what they name, when a job asks for it


def files() -> list[Path]:
    return sorted([*CORE.rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")])


def room_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, inside functions too, but not for type checkers only."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        else:
            waiting += ast.iter_child_nodes(node)


CORE_FILES = [path for path in files() if path.is_relative_to(CORE) and path.name != "__init__.py"]


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    assert room in FLOOR_OF, f"{room} has no floor yet; give it one"
    if room in LAZY:
        return
    for module in imports(path):
        parts = module.split(".")
        assert parts[0] != "torch" or FLOOR_OF[room] > 0, f"{path} imports torch"
        if parts[0] != "seqloom" or len(parts) == 1 or parts[1] not in FLOOR_OF:
            continue
        assert FLOOR_OF[parts[1]] <= FLOOR_OF[room], f"{path} imports {module}, which is above it"
        if room in RUNTIME and parts[1] in ("registry", "catalog"):
            assert parts[2:3] == ["records"], f"{path} imports {module}: the runtime knows no registry"


def test_no_file_is_two_rooms() -> None:
    long = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_plugins_use_public_names_only() -> None:
    for path in ROOT.glob("plugins/*/src/**/*.py"):
        for module in imports(path):
            parts = module.split(".")
            private = [part for part in parts[1:] if part.startswith("_")]
            assert parts[0] != "seqloom" or not private, f"{path} imports {module}"


@pytest.mark.parametrize(
    "code",
    [
        "import seqloom",
        "import seqloom_audio, seqloom_captioning, seqloom_dialogue, seqloom_ocr, "
        "seqloom_speech, seqloom_summarization, seqloom_text, seqloom_translation, seqloom_vision",
        "from seqloom.catalog import Catalog; Catalog.from_environment()",
        "import seqloom.cli.main, seqloom.registry.store",
        "import seqloom.page.app",
    ],
)
def test_light_doors_import_no_torch(code: str) -> None:
    check = f"{code}; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
