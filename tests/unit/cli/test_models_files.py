"""``seqloom models rm``, ``gc``, ``verify``, ``export``, ``import``, ``note`` and histories of aliases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from seqloom.cli.models_files import _size
from seqloom.registry.store import Registry

Shelf = Any
Seqloom = Callable[..., Result]


def test_models_are_deleted_and_come_back(shelf: Shelf, commands: Seqloom) -> None:
    first, second = shelf.model(), shelf.model()
    assert (
        commands("models", "rm", "de-en/1").stderr == "models:/de-en/1 is deleted; --undo takes it back\n"
    )
    commands("models", "rm", f"runs:/{second.run_id}")
    assert commands("models", "list").stderr == "no models\n"
    rows = [line.split()[:2] for line in commands("models", "list", "--deleted").stdout.splitlines()[1:]]
    assert rows == [["de-en/2", "deleted"], ["de-en/1", "deleted"]]
    assert commands("models", "rm", "--undo", "models:/de-en/1", "de-en/2").stderr == (
        "models:/de-en/1 is back\nmodels:/de-en/2 is back\n"
    )
    assert [model.uri for model in shelf.registry.models()] == [second.uri, first.uri]
    assert "is not deleted" in commands("models", "rm", "--undo", "de-en/1", code=78).stderr


@pytest.mark.parametrize("uri", ["de-en", "de-en/latest", "de-en@champion", "models:/de-en"])
def test_what_is_deleted_is_named_by_its_version(shelf: Shelf, commands: Seqloom, uri: str) -> None:
    shelf.model()
    refused = commands("models", "rm", uri, code=2).stderr
    assert f"'{uri}' names no version; say which, as in " in refused
    assert len(shelf.registry.models()) == 1


def test_what_an_alias_holds_is_not_deleted(shelf: Shelf, commands: Seqloom) -> None:
    shelf.model()
    shelf.registry.set_alias("de-en", 1, "champion")
    assert (
        "models:/de-en/1 is de-en@champion; point that elsewhere first"
        in commands("models", "rm", "de-en/1", code=78).stderr
    )


def test_gc_tells_first_and_removes_when_told(shelf: Shelf, commands: Seqloom) -> None:
    model = shelf.model()
    folder = Path(model.folder)
    assert commands("models", "gc").stderr == "nothing to remove\n"
    commands("models", "rm", "de-en/1")
    young = "1 deleted less than 7 days ago; `--older-than 0` takes them, too\n"
    assert commands("models", "gc").stderr == f"nothing to remove\n{young}"
    assert commands("models", "gc", "--yes").stderr == f"nothing was removed\n{young}"

    dry = commands("models", "gc", "--older-than", "0")
    size = _size(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    assert dry.stderr == f"{size} would be removed, and nothing was; add --yes to remove it\n"
    assert dry.stdout.splitlines()[1].split() == ["models:/de-en/1", *size.split(), str(folder)]
    [told] = json.loads(commands("models", "gc", "--older-than", "0", "--json").stdout)
    assert (told["name"], told["paths"], told["removed"]) == (model.uri, [str(folder)], False)
    assert folder.is_dir()

    done = commands("models", "gc", "--older-than", "0", "--yes")
    assert done.stderr == f"{size} removed\n"
    assert not folder.exists()
    assert (
        "files of models:/de-en/1 were removed"
        in commands("models", "rm", "--undo", "de-en/1", code=78).stderr
    )
    assert commands("models", "list", "--deleted").stdout.splitlines()[1].split()[:2] == [
        "de-en/1",
        "removed",
    ]
    assert "files removed" in commands("models", "show", "de-en/1").stdout
    assert commands("models", "gc", "--older-than", "0", "--yes", "--json").stdout == "[]\n"


def test_gc_waits_a_week(shelf: Shelf, commands: Seqloom) -> None:
    models = shelf.model(), shelf.model()
    ages = (timedelta(days=7, hours=1), timedelta(days=6, hours=23))
    moments = iter([model.created_at - age for model, age in zip(models, ages, strict=True)])
    with Registry(shelf.url, clock=lambda: next(moments)) as past:
        for model in models:
            past.delete_model(model.uri)
    commands("models", "gc", "--yes")
    assert [Path(model.folder).exists() for model in models] == [False, True]
    commands("models", "gc", "--yes", "--older-than", "6.5")
    assert not Path(models[1].folder).exists()


def test_gc_tells_what_stays(shelf: Shelf, commands: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    run = shelf.model().run_id
    commands("runs", "rm", run)
    part = commands("models", "gc", "--older-than", "0").stdout.splitlines()[1]
    assert part.rstrip().endswith(f"{shelf.runs / run} (but for models)")
    monkeypatch.setenv("SEQLOOM_RUNS", str(shelf.folder))
    stays = commands("models", "gc", "--older-than", "0", "--yes").stderr.splitlines()
    assert stays[0].startswith(f"{run} stays: {shelf.runs / run} is not in {shelf.folder}; name its folder")
    assert stays[1] == "nothing was removed"


def test_gc_ends_badly_where_files_are_left(
    shelf: Shelf, commands: Seqloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.model()
    commands("models", "rm", "de-en/1")
    monkeypatch.setattr("seqloom.collection.discard_folder", lambda folder: None)
    assert "could not be removed" in commands("models", "gc", "--older-than", "0", "--yes", code=74).stderr


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (5 * 2**20, "5.0 MiB"),
        (3 * 2**40, "3,072.0 GiB"),
    ],
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert _size(count) == text


def test_models_are_verified(shelf: Shelf, commands: Seqloom) -> None:
    first, second, _ = shelf.model(), shelf.model(), shelf.model()
    shelf.registry.delete_model("de-en/3")
    assert (
        commands("models", "verify", "--all").stdout == "models:/de-en/2: whole\nmodels:/de-en/1: whole\n"
    )
    assert (
        commands("models", "verify", "de-en/3", "de-en").stdout
        == "models:/de-en/3: whole\nmodels:/de-en/2: whole\n"
    )
    file = Path(first.folder) / "model.safetensors"
    file.write_text("WEIGHTS")
    bad = commands("models", "verify", "--all", code=74)
    assert f"models:/de-en/1: {file}: its bytes are not those that were saved" in bad.stdout
    assert bad.stderr == "error: 1 of 2 models are not what was registered: models:/de-en/1\n"
    told = json.loads(commands("models", "verify", "--all", "--json", code=74).stdout)
    assert [(one["uri"], one["trouble"] is None) for one in told] == [
        (second.uri, True),
        (first.uri, False),
    ]
    for words in ((), ("de-en/1", "--all")):
        assert (
            "name the models to verify, or give --all"
            in commands("models", "verify", *words, code=2).stderr
        )


def test_a_model_leaves_and_comes_in(shelf: Shelf, commands: Seqloom) -> None:
    model = shelf.model()
    commands("models", "alias", "de-en/1", "champion")
    commands("models", "note", "de-en", "reads well")
    file = shelf.folder / "de-en.tar"
    assert commands("models", "export", "de-en@champion", file).stderr == f"models:/de-en/1 is in {file}\n"
    came = commands("models", "import", file)
    assert came.stdout == "models:/de-en/2\n"
    entered = shelf.registry.model("de-en/2")
    assert came.stderr == (
        f"models:/de-en/2 is in {entered.folder}, which was models:/de-en/1\n"
        "aliases stay behind: there it was champion\n"
    )
    assert "reads well" in commands("models", "show", "de-en/2").stdout
    plain = commands("models", "import", model.folder, "--name", "other")
    assert plain.stderr.startswith("models:/other/1 is in ")
    assert "which was" not in plain.stderr
    assert (
        f"{shelf.folder} is a folder; name a file"
        in commands("models", "export", "de-en", shelf.folder, code=2).stderr
    )
    file.write_bytes(file.read_bytes()[:-1])
    assert f"{file}: it is cut off" in commands("models", "import", file, code=74).stderr
    assert [
        run["kind"]
        for run in json.loads(commands("runs", "list", "--where", "kind = 'import'", "--json").stdout)
    ] == ["import"] * 2


def test_a_model_goes_through_a_pipe(shelf: Shelf, commands: Seqloom) -> None:
    shelf.model()
    data = commands("models", "export", "de-en", "-").stdout_bytes
    commands("models", "export", "de-en", shelf.folder / "a.tar")
    assert data == (shelf.folder / "a.tar").read_bytes()
    came = commands("models", "import", "-", "--name", "piped", stdin=data)
    assert came.stdout == "models:/piped/1\n"
    assert "models:/piped/1: whole" in commands("models", "verify", "piped").stdout


def test_aliases_are_moved_by_who_knows_where_they_are(shelf: Shelf, commands: Seqloom) -> None:
    shelf.model(), shelf.model()
    assert (
        commands("models", "alias", "de-en/1", "champion", "--if", "none").stderr
        == "de-en@champion is models:/de-en/1\n"
    )
    refused = commands("models", "alias", "de-en/2", "champion", "--if", "none", code=78).stderr
    assert "de-en@champion points to version 1, and no such alias was expected" in refused
    commands("models", "alias", "de-en/2", "champion", "--if", "1")
    assert (
        "points to version 2, and version 1"
        in commands("models", "alias", "de-en", "champion", "--remove", "--if", "1", code=78).stderr
    )
    commands("models", "alias", "de-en", "champion", "--remove", "--if", "2")
    for wrong in ("x", "-1", "1" * 10):
        assert (
            "write the number of a version, or none"
            in commands("models", "alias", "de-en", "a", f"--if={wrong}", code=2).stderr
        )


def test_aliases_have_a_history(shelf: Shelf, commands: Seqloom) -> None:
    shelf.model(), shelf.model()
    assert commands("models", "alias", "de-en", "--history").stderr == "de-en has had no alias\n"
    commands("models", "alias", "de-en/1", "champion")
    commands("models", "alias", "de-en/2", "champion")
    commands("models", "alias", "de-en/1", "old")
    commands("models", "alias", "de-en", "champion", "--remove")
    rows = [
        line.split()[2:] for line in commands("models", "alias", "de-en", "--history").stdout.splitlines()
    ]
    assert rows == [
        ["alias", "from", "to"],
        ["de-en@champion", "version", "2", "nothing"],
        ["de-en@old", "nothing", "version", "1"],
        ["de-en@champion", "version", "1", "version", "2"],
        ["de-en@champion", "nothing", "version", "1"],
    ]
    told = json.loads(commands("models", "alias", "de-en/7", "old", "--history", "--json").stdout)
    assert [(one["alias"], one["former"], one["version"]) for one in told] == [("old", None, 1)]
    assert commands("models", "alias", "de-en", "x", "--history").stderr == "de-en@x has never been there\n"
    for words in (["--history", "--remove"], ["--history", "--if", "1"], [], ["--json"]):
        commands("models", "alias", "de-en", *words, code=2)


def test_help_pays_for_no_database() -> None:
    program = "import sys, seqloom.cli.models_files, seqloom.cli.runs_files; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"sqlalchemy", "alembic", "rich.table", "torch", "yaml"}.isdisjoint(loaded.stdout.split())
