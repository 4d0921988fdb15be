"""A model leaves as one file and comes in whole, or not at all, whatever the file holds."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.archive import write_archive
from seqloom.errors import ConfigError, CorruptError, SeqloomError, StorageError
from seqloom.foreign import LARGEST_JSON
from seqloom.registry.records import DataFile, Model
from seqloom.storage import MANIFEST, verify_folder, write_folder
from seqloom.transfer import Imported, check_model, export_archive, export_file, import_file, import_stream

Shelf = Any
BESIDE = {"registry.db", "registry.db.lock", "registry.db-shm", "registry.db-wal", "runs", "a.tar", "copy"}
"""All that there may be in the folder of a test."""
FACTS: dict[str, Any] = {
    "kind": "import",
    "name": "x",
    "task": "t",
    "config": {},
    "seed": 1,
    "versions": {},
}
FACTS |= {"device": "cpu", "device_reason": "", "data": []}
DATA = DataFile(path="train.de", sha256="ab12", split="train", bytes=10, rows=2)


def archived(shelf: Shelf, model: Model) -> bytes:
    stream = io.BytesIO()
    export_archive(shelf.registry, model, stream)
    return stream.getvalue()


def taken(shelf: Shelf, data: bytes, name: str | None = None) -> Imported:
    return import_stream(shelf.registry, shelf.runs, io.BytesIO(data), "some.tar", name)


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            assert file
            found[member.name] = file.read()
        return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def check_nothing_came(shelf: Shelf) -> None:
    """Neither in the registry, nor in the folder of runs, nor beside it."""
    assert shelf.registry.models() == shelf.registry.runs() == []
    assert {path.name for path in shelf.folder.glob("runs/*")} <= {".imports"}
    assert {path.name for path in shelf.folder.iterdir()} <= BESIDE


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, new_shelf: Any) -> bytes:
    """The archive of a model."""
    with new_shelf(tmp_path_factory.mktemp("genuine")) as shelf:
        return archived(shelf, shelf.model())


# Out ---------------------------------------------------------------------------------------------------


def test_an_archive_has_the_model_and_what_is_known_of_it(shelf: Shelf) -> None:
    model = shelf.model(shelf.run(data=[DATA]))
    shelf.registry.set_alias("de-en", 1, "champion")
    shelf.registry.note_model(model.uri, "reads well")
    shelf.registry.add_event(model.run_id, "skipped", {"step": 3})
    evaluation = shelf.run("evaluate", model=model.uri)
    shelf.run("evaluate", model="models:/other/1")
    found = members(archived(shelf, shelf.registry.model(model.uri)))

    assert next(iter(found)) == "de-en-1/registry.json"
    told = json.loads(found.pop("de-en-1/registry.json"))
    assert {name.removeprefix("de-en-1/model/"): data for name, data in found.items()} == contents(
        Path(model.folder)
    )
    assert told["files"] == {name.removeprefix("de-en-1/model/"): len(data) for name, data in found.items()}
    assert (told["model"]["uri"], told["model"]["aliases"]) == (model.uri, ["champion"])
    assert told["model"]["notes"][0]["text"] == "reads well"
    assert (told["run"]["id"], told["run"]["data"][0]["sha256"]) == (model.run_id, "ab12")
    assert [event["kind"] for event in told["events"]] == ["skipped"]
    assert [run["id"] for run in told["evaluations"]] == [evaluation.id]
    assert [(one["alias"], one["version"]) for one in told["aliases"]] == [("champion", 1)]


def test_the_same_model_makes_the_same_bytes(shelf: Shelf) -> None:
    model = shelf.model()
    first = archived(shelf, model)
    for path in Path(model.folder).rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert archived(shelf, model) == first
    shelf.registry.tag_model(model.uri, {"team": "mt"})
    assert archived(shelf, shelf.registry.model(model.uri)) != first


def test_other_tools_read_an_archive(shelf: Shelf, tmp_path: Path) -> None:
    model = shelf.model()
    name = f"{'ä' * 60}/{'b' * 120}.json"  # longer than the first form of tar had room for
    shutil.rmtree(model.folder)

    def write(aside: Path) -> None:
        (aside / name).parent.mkdir()
        (aside / name).write_text("{}")

    write_folder(Path(model.folder), write)
    with (tmp_path / "a.tar").open("wb") as stream:
        write_archive(stream, Path(model.folder), "top", {})
    subprocess.run(["tar", "-xf", "a.tar"], cwd=tmp_path, check=True)
    assert contents(tmp_path / "top" / "model") == contents(Path(model.folder))
    verify_folder(tmp_path / "top" / "model")


def test_a_file_is_there_whole_or_not_at_all(shelf: Shelf, tmp_path: Path) -> None:
    model = shelf.model()
    file = tmp_path / "a.tar"
    export_file(shelf.registry, model, file)
    assert file.read_bytes() == archived(shelf, model)
    (tmp_path / "plain").touch()
    assert file.stat().st_mode == (tmp_path / "plain").stat().st_mode
    (Path(model.folder) / "model.safetensors").write_text("WEIGHTS")
    with pytest.raises(CorruptError, match=r"model\.safetensors: its bytes are not those that were saved"):
        export_file(shelf.registry, model, file)
    assert len(file.read_bytes()) > 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(StorageError, match=r"away/a\.tar: cannot write it: No such file"):
        export_file(shelf.registry, model, tmp_path / "away" / "a.tar")


def test_what_is_not_the_model_is_not_exported(shelf: Shelf) -> None:
    model = shelf.model()
    shelf.write_model(Path(model.folder), "others")
    for refused in (check_model, lambda model: archived(shelf, model)):
        with pytest.raises(
            CorruptError, match=r"manifest\.json: models:/de-en/1 was registered with another"
        ):
            refused(model)
    shutil.rmtree(model.folder)
    for refused in (check_model, lambda model: archived(shelf, model)):
        with pytest.raises(StorageError, match="the folder of models:/de-en/1 is not there any more"):
            refused(model)


def test_models_are_verified(shelf: Shelf) -> None:
    model = shelf.model()
    check_model(model)
    (Path(model.folder) / "config.json").write_text("{}")
    with pytest.raises(CorruptError, match=r"config\.json: its bytes are not those"):
        check_model(model)


# In ----------------------------------------------------------------------------------------------------


def test_a_model_comes_in_with_what_was_said_of_it(shelf: Shelf) -> None:
    model = shelf.model(shelf.run(data=[DATA]))
    shelf.registry.set_alias("de-en", 1, "champion")
    shelf.registry.tag_model(model.uri, {"team": "mt"})
    shelf.registry.note_model(model.uri, "reads\nwell")
    model = shelf.registry.model(model.uri)
    data = archived(shelf, model)
    came = taken(shelf, data)

    assert (came.origin, came.aliases) == ("models:/de-en/1", ("champion",))
    assert (came.model.uri, came.model.aliases, came.model.sha256) == ("models:/de-en/2", (), model.sha256)
    assert (came.model.tags, came.model.notes) == (model.tags, model.notes)
    assert (came.model.task, came.model.scores) == ("translation", model.scores)
    assert contents(Path(came.model.folder)) == contents(Path(model.folder))
    check_model(came.model)

    run = shelf.registry.run(str(came.model.run_id))
    assert (run.kind, run.status, run.name, run.seed, run.model) == (
        "import",
        "finished",
        "de-en",
        7,
        came.model.uri,
    )
    assert (run.config["train"]["seed"], run.versions, run.data) == (7, {"torch": "2.11.0"}, (DATA,))
    assert (Path(run.folder), Path(came.model.folder)) == (
        shelf.runs / run.id,
        shelf.runs / run.id / "model",
    )
    saved = json.loads((Path(run.folder) / "config.json").read_text())
    assert saved["import"]["from"] == "some.tar"
    assert saved["import"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert saved["import"]["registry"]["run"]["id"] == model.run_id
    assert saved["job"] == run.config


def test_a_model_folder_comes_in(shelf: Shelf) -> None:
    digest = shelf.write_model(shelf.folder / "copy")
    came = import_file(shelf.registry, shelf.runs, shelf.folder / "copy", "mine")
    assert (came.model.uri, came.origin, came.aliases) == ("models:/mine/1", None, ())
    assert came.model.sha256 == digest
    assert contents(Path(came.model.folder)) == contents(shelf.folder / "copy")
    assert import_file(shelf.registry, shelf.runs, shelf.folder / "copy").model.uri == "models:/de-en/1"


def test_an_archive_may_be_a_file(shelf: Shelf) -> None:
    model = shelf.model()
    export_file(shelf.registry, model, shelf.folder / "a.tar")
    came = import_file(shelf.registry, shelf.runs, shelf.folder / "a.tar", "other-name")
    assert came.model.uri == "models:/other-name/1"
    with pytest.raises(StorageError, match=r"none\.tar: cannot read it: No such file"):
        import_file(shelf.registry, shelf.runs, shelf.folder / "none.tar")


def test_a_name_that_is_none_is_refused_before_anything_is_copied(shelf: Shelf, genuine: bytes) -> None:
    with pytest.raises(ConfigError, match=r"'\.\./x' is no name for a model"):
        taken(shelf, genuine, "../x")
    check_nothing_came(shelf)


def refuse(*_: Any, **__: Any) -> None:
    raise StorageError("the disk is full")


def test_a_registry_that_is_away_leaves_nothing(
    shelf: Shelf, genuine: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(type(shelf.registry), "import_model", refuse)
    with pytest.raises(StorageError, match="the disk is full"):
        taken(shelf, genuine)
    check_nothing_came(shelf)


def test_an_interrupt_after_it_was_entered_takes_nothing_back(
    shelf: Shelf, genuine: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = type(shelf.registry).import_model

    def interrupted(*given: Any, **facts: Any) -> None:
        enter(*given, **facts)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(shelf.registry), "import_model", interrupted)
    with pytest.raises(KeyboardInterrupt):
        taken(shelf, genuine)
    check_model(shelf.registry.model("de-en/1"))


def test_a_disk_that_lacks_room_is_told_before(
    shelf: Shelf, genuine: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100}))
    with pytest.raises(StorageError, match=r"the model takes \d+ bytes, and 100 are free; make room"):
        taken(shelf, genuine)
    check_nothing_came(shelf)


def test_an_import_clears_up_after_those_that_were_killed(shelf: Shelf, genuine: bytes) -> None:
    half, whole, entered, others = (f"20261121-131502-00000{number}" for number in range(4))
    shelf.registry.start_run(**FACTS, id=entered)
    for run_id, place in ((half, None), (whole, None), (entered, None), (others, "postgresql://elsewhere")):
        (shelf.runs / (f".{half}.new" if run_id == half else run_id) / "model").mkdir(parents=True)
        (shelf.runs / f".{run_id}.import").write_text(place or shelf.registry.place())
    (shelf.runs / ".20261121-131502-000004.import").touch()  # killed before it could say whose it is
    mine = shelf.runs / ".mine.new"
    mine.mkdir()
    before = {path.name for path in shelf.runs.iterdir()}
    with (shelf.runs / ".imports").open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)  # another one is under way: it may be its
        first = taken(shelf, genuine).model.run_id
        assert {path.name for path in shelf.runs.iterdir()} == before | {".imports", first}
    second = taken(shelf, genuine).model.run_id
    assert {path.name for path in shelf.runs.iterdir()} == {
        *(".imports", ".mine.new", first, second, entered, others, f".{others}.import"),
    }


def test_a_registry_that_cannot_be_asked_is_asked_by_the_next(
    shelf: Shelf, genuine: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name in ("import_model", "run"):
            patch.setattr(type(shelf.registry), name, refuse)
        with pytest.raises(StorageError, match="the disk is full"):
            taken(shelf, genuine)
    assert len(list(shelf.runs.iterdir())) == 3  # it may know the run
    taken(shelf, genuine)
    assert len(list(shelf.runs.iterdir())) == 2


# What is not to be trusted -----------------------------------------------------------------------------


class Forger:
    """Makes archives that are not as they should be.

    Args:
        data: One that is.
    """

    def __init__(self, data: bytes) -> None:
        self.members = members(data)
        self.top = "de-en-1"
        self.types: dict[str, bytes] = {}

    @property
    def head(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.members[f"{self.top}/registry.json"])
        return told

    def tell(self, **facts: Any) -> None:
        self.members[f"{self.top}/registry.json"] = json.dumps(self.head | facts).encode()

    def add(self, name: str, data: bytes, *, announced: bool = True) -> None:
        self.members[f"{self.top}/model/{name}"] = data
        if announced:
            self.tell(files=self.head["files"] | {name: len(data)})

    def archive(self) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, data in self.members.items():
                info = tarfile.TarInfo(name)
                info.type = self.types.get(name, tarfile.REGTYPE)
                info.size = len(data) if info.type == tarfile.REGTYPE else 0
                info.linkname = data.decode() if info.type != tarfile.REGTYPE else ""
                archive.addfile(info, io.BytesIO(data))
            end = archive.offset + 2 * tarfile.BLOCKSIZE
        return stream.getvalue()[:end]


def link(kind: bytes, target: str) -> Callable[[Forger], None]:
    def forge(forger: Forger) -> None:
        name = "de-en-1/model/model.safetensors"
        forger.members[name] = target.encode()
        forger.types[name] = kind

    return forge


def named(name: str) -> Callable[[Forger], None]:
    return lambda forger: forger.add(name, b"x")


def unannounced(name: str) -> Callable[[Forger], None]:
    return lambda forger: forger.members.update({name: b"x"})


def told(**facts: Any) -> Callable[[Forger], None]:
    return lambda forger: forger.tell(**facts)


def model_told(**facts: Any) -> Callable[[Forger], None]:
    return lambda forger: forger.tell(model=forger.head["model"] | facts)


def changed(name: str, data: bytes) -> Callable[[Forger], None]:
    return lambda forger: forger.add(name, data)


def remade(forger: Forger) -> None:
    """A manifest that knows a file outside of the folder."""
    name = "de-en-1/model/manifest.json"
    sums = json.loads(forger.members[name])["sha256"] | {"../../../a.tar": "0"}
    text = json.dumps({"sha256": sums}, indent=2, ensure_ascii=False) + "\n"
    forger.add(MANIFEST, text.encode())


def dropped(forger: Forger) -> None:
    del forger.members["de-en-1/model/config.json"]


def moved(forger: Forger) -> None:
    first, *others = forger.members
    forger.members = {name: forger.members[name] for name in (*others, first)}


FORGERIES = {
    "symlink": (link(tarfile.SYMTYPE, "/etc/passwd"), "'de-en-1/model/model.safetensors' is no plain file"),
    "hard link": (link(tarfile.LNKTYPE, "de-en-1/model/config.json"), "is no plain file"),
    "device": (link(tarfile.CHRTYPE, ""), "is no plain file"),
    "pipe": (link(tarfile.FIFOTYPE, ""), "is no plain file"),
    "sparse file": (link(tarfile.GNUTYPE_SPARSE, ""), "is no plain file"),
    "out of it": (named("../../escape.txt"), r"'\.\./\.\./escape\.txt' is no name for a file"),
    "within and out": (named("a/../../../escape.txt"), "is no name for a file"),
    "absolute": (named("/tmp/seqloom-escape.txt"), "is no name for a file"),
    "other slashes": (named("..\\..\\escape.txt"), "is no name for a file"),
    "itself": (named("."), "is no name for a file"),
    "nothing": (named("a//b"), "is no name for a file"),
    "endless": (named("a" * 300), "is no name for a file"),
    "deep": (named("/".join("a" * 600)), "is no name for a file"),
    "right to left": (named("a\u202egnp.exe"), "is no name for a file"),
    "two lines": (named("a\nb"), "is no name for a file"),
    "file as folder": (named("model.safetensors/x"), "cannot write it: "),
    "not announced": (unannounced("de-en-1/model/more.txt"), "announces no file 'de-en-1/model/more.txt' of 1 bytes"),
    "beside the model": (unannounced("de-en-1/more.txt"), "announces no file 'de-en-1/more.txt'"),
    "out, not announced": (unannounced("../../escape.txt"), r"announces no file '\.\./\.\./escape\.txt'"),
    "another top": (unannounced("other/model/config.json"), "announces no file 'other/model/config.json'"),
    "not in the manifest": (named("more.txt"), r"some\.tar/more\.txt: the manifest does not know this file"),
    "other bytes": (changed("model.safetensors", b"WEIGHTS"), r"some\.tar/model\.safetensors: its bytes are not"),
    "manifest of an outsider": (remade, r"some\.tar/manifest\.json: '\.\./.*' is no name for a file"),
    "no manifest": (changed(MANIFEST, b"{}"), r"some\.tar/manifest\.json: the manifest is damaged"),
    "missing": (dropped, "the file 'config.json' is missing"),
    "head last": (moved, "it does not begin with registry.json"),
    "another format": (told(format="x"), "registry.json is not as it should be: format: Input should be"),
    "a later version": (told(version=2), "registry.json is not as it should be: version: Input should be 1"),
    "no model": (told(model=None), "registry.json is not as it should be: model: Input should be"),
    "no files": (told(files={}), "it has no manifest.json"),
    "negative": (told(files={MANIFEST: -1}), "files.manifest.json: Input should be greater"),
    "a bomb": (told(files={MANIFEST: 1, "x": 10**18}), r"takes 1,000,000,000,000,000,001 bytes, and [\d,]+ are free"),
    "another model": (model_told(sha256="c0ffee"), r"manifest\.json: this is not the manifest of models:/de-en/1"),
    "a hostile name": (model_told(name="../../x"), r"'\.\./\.\./x' is no name for a model"),
    "a hostile tag": (model_told(tags={"a\nb": "c"}), "is no name for a tag"),
    "a tag of two lines": (model_told(tags={"a": "b\nc"}), "tag a: .* is no value"),
    "an empty note": (model_told(notes=[{"text": " ", "at": "2026-11-21T00:00:00Z"}]), "is no note"),
    "a note of no time": (model_told(notes=[{"text": "a", "at": "2026-11-21T00:00:00"}]), "model.notes.0.at: "),
    "a note before time": (model_told(notes=[{"text": "a", "at": "0001-01-01T00:00:00+14:00"}]), "model.notes.0.at: "),
    "half a sign": (model_told(uri="\ud800"), "registry.json is not JSON as it should be: .* surrogates"),
    "a NUL": (model_told(uri="a\0b"), "registry.json is not JSON as it should be: .* NUL"),
    "a hostile run": (told(run={"id": "x", "data": [{"path": "a", "sha256": "b", "rows": 2**80}]}), "run.data.0.rows"),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_archive_is_refused(shelf: Shelf, genuine: bytes, forgery: str) -> None:
    forger = Forger(genuine)
    forge, message = FORGERIES[forgery]
    forge(forger)
    with pytest.raises(SeqloomError, match=message):
        taken(shelf, forger.archive())
    check_nothing_came(shelf)
    assert not Path("/tmp/seqloom-escape.txt").exists()


def test_a_forger_who_changes_nothing_is_let_in(shelf: Shelf, genuine: bytes) -> None:
    """So what is refused above is refused for what was forged."""
    assert taken(shelf, Forger(genuine).archive()).model.version == 1
    with pytest.raises(CorruptError, match="it goes on after its end"):  # others fill archives up
        taken(shelf, genuine + bytes(9216))


def test_an_archive_that_is_cut_off_anywhere_is_refused(shelf: Shelf, genuine: bytes) -> None:
    for length in (0, 1, 511, 512, 700, len(genuine) // 2, len(genuine) - 1024, len(genuine) - 1):
        with pytest.raises(CorruptError, match=r"some\.tar: "):
            taken(shelf, genuine[:length])
    check_nothing_came(shelf)


def test_no_byte_can_be_changed_unseen(shelf: Shelf, genuine: bytes) -> None:
    name = genuine.index(b"de-en-1/model/model.safetensors")
    for place in (0, 100, 124, 156, name + 20, name + 512, name + 124):  # of headers, and of weights
        forged = genuine[:place] + bytes([genuine[place] ^ 1]) + genuine[place + 1 :]
        with pytest.raises(CorruptError):
            taken(shelf, forged)
    check_nothing_came(shelf)


def mutated(rng: random.Random, data: bytes) -> bytes:
    """An archive of which something has become something else."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, block = rng.randrange(len(made)), 512 * rng.randrange(len(made) // 512)
        match rng.randrange(6):
            case 0:
                made[at] ^= 1 << rng.randrange(8)
            case 1:
                del made[at : at + rng.choice((1, 10, 512))]
            case 2:
                made[block:block] = made[512 * rng.randrange(len(made) // 512) :][:512]
            case 3:
                made[at : at + 8] = rng.choice((b"\0" * 8, b"\xff" * 8, b"../../..", b"77777777"))
            case 4:
                made[at:at] = rng.randbytes(rng.choice((1, 512)))
            case 5:  # a header that is sound in itself
                info = tarfile.TarInfo(
                    rng.choice(("../../escape.txt", "/tmp/seqloom-escape.txt", "de-en-1/model/x"))
                )
                info.type = rng.choice((*b"0123456LKSxg", 0)).to_bytes()
                info.size, info.linkname = rng.choice((0, 1, 2**33, 2**62)), "/etc/passwd"
                made[block : block + 512] = info.tobuf(tarfile.GNU_FORMAT)[:512]
    return bytes(made)


@pytest.mark.parametrize("count", [40, pytest.param(3000, marks=pytest.mark.faults)])
def test_whatever_an_archive_holds_it_is_refused_or_whole(shelf: Shelf, genuine: bytes, count: int) -> None:
    rng = random.Random(7)
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        data = mutated(rng, genuine)
        try:
            model = taken(shelf, data).model
        except SeqloomError as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["whole"] += 1
            check_model(model)
            assert (
                contents(Path(model.folder)).keys()
                <= json.loads(members(genuine)["de-en-1/registry.json"])["files"].keys()
            )
    assert {path.name for path in shelf.folder.iterdir()} <= BESIDE
    assert len(list(shelf.runs.glob("2*"))) == len(shelf.registry.models()) == outcomes["whole"]
    assert not Path("/tmp/seqloom-escape.txt").exists()
    assert outcomes["CorruptError"] > count / 2


def test_other_files_are_no_archives(shelf: Shelf, genuine: bytes) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("registry.json", "{}" * 1000)
    for data in (gzip.compress(genuine) * 9, zipped.getvalue(), b"a" * 2000):
        with pytest.raises(CorruptError, match="this is no tar archive without compression, or it is dam"):
            taken(shelf, data)
    check_nothing_came(shelf)


def test_headers_may_not_be_larger_than_needed(shelf: Shelf) -> None:
    info = tarfile.TarInfo("x/registry.json")
    info.size = LARGEST_JSON + 1
    with pytest.raises(CorruptError, match=r"it does not begin with registry\.json"):
        taken(shelf, info.tobuf() + b"{}")
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10**10
    with pytest.raises(CorruptError, match="is no plain file"):
        taken(shelf, info.tobuf(tarfile.GNU_FORMAT))
    deep = b"[" * 100_000
    info = tarfile.TarInfo("x/registry.json")
    info.size = len(deep)
    with pytest.raises(CorruptError, match="nested too deeply"):
        taken(shelf, info.tobuf() + deep + bytes(-len(deep) % 512))


def spoiled(folder: Path, name: str, text: str) -> None:
    """A model's folder with another file in it that its manifest knows."""
    old = contents(folder) | {name: text.encode()}
    old.pop(MANIFEST, None)

    def write(aside: Path) -> None:
        for one, data in old.items():
            (aside / one).parent.mkdir(exist_ok=True)
            (aside / one).write_bytes(data)

    write_folder(folder, write)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", "{}", r"copy/config\.json: this is not as Seqloom writes it: job: Field required"),
        ("config.json", "{", r"copy/config\.json: this is not JSON as it should be"),
        ("config.json", '{"job": {"name": "a", "task": "b", "train": {"seed": 1}}}', "job.task"),
        ("metrics.json", "{}", r"copy/metrics\.json: this is not as Seqloom writes it"),
        ("metrics.json", '[{"metric": "bleu"}]', r"metrics\.json: .*0\.value: Field required"),
    ],
)
def test_a_folder_that_is_no_models_is_refused(shelf: Shelf, name: str, text: str, message: str) -> None:
    folder = shelf.folder / "copy"
    shelf.write_model(folder)
    spoiled(folder, name, text)
    with pytest.raises(CorruptError, match=message):
        import_file(shelf.registry, shelf.runs, folder)
    check_nothing_came(shelf)


def test_a_folder_that_is_not_whole_is_refused(shelf: Shelf) -> None:
    folder = shelf.folder / "copy"
    shelf.write_model(folder)
    (folder / "model.safetensors").write_text("other")
    with pytest.raises(CorruptError, match=r"copy/model\.safetensors: its bytes are not those"):
        import_file(shelf.registry, shelf.runs, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(StorageError, match=r"copy/model\.safetensors: cannot read it"):
        import_file(shelf.registry, shelf.runs, folder)
    with pytest.raises(CorruptError, match=r"there is no manifest\.json"):
        import_file(shelf.registry, shelf.runs, shelf.folder)
    check_nothing_came(shelf)
    model = shelf.model()
    with pytest.raises(CorruptError, match=r"there is no config\.json: this is no model's folder"):
        import_file(shelf.registry, shelf.runs, Path(model.folder).parent / "checkpoints" / "00000010")
