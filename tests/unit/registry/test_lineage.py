from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from family import FACTS, add_family, add_judgement, add_teacher, add_tuned, file, score, sha

from seqloom.errors import ConfigError
from seqloom.registry.records import Lineage, LineageNode
from seqloom.registry.store import Registry

DATA, TEST, GIVEN, WRITTEN = (f"data:{sha(sign)}" for sign in "adef")
CHECKPOINT = "checkpoint:teaching/checkpoints/00000200"
PREDICTIONS = "file:telling//elsewhere/mono.en"


Clock = Callable[[], datetime]


@pytest.fixture
def memory(new_clock: Callable[[], Clock]) -> Iterator[Registry]:
    """An empty one, in memory: much is written here, and nothing to be kept."""
    with Registry("sqlite://", clock=new_clock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def family(new_clock: Callable[[], Clock]) -> Iterator[Registry]:
    """All of them; do not change it."""
    with Registry("sqlite://", clock=new_clock()) as opened:
        add_family(opened)
        yield opened


def node(lineage: Lineage, node_id: str) -> LineageNode:
    [found] = [one for one in lineage.nodes if one.id == node_id]
    return found


def ids(lineage: Lineage) -> list[str]:
    return [one.id for one in lineage.nodes]


# What is there -----------------------------------------------------------------------------------------


def test_a_model_in_the_middle(family: Registry) -> None:
    lineage = family.lineage("student/1")

    assert lineage.about == "models:/student/1"
    assert ids(lineage) == [
        *(GIVEN, WRITTEN, DATA, f"data:{sha('b')}"),  # by path
        *("run:teaching", "run:telling", "run:learning", "run:tuning", "run:judging-tuned"),  # by time
        CHECKPOINT,
        *("models:/student/1", "models:/teacher/1", "models:/tuned/1"),
        PREDICTIONS,
    ]
    assert set(lineage.edges) == {
        (DATA, "run:teaching"),
        (f"data:{sha('b')}", "run:teaching"),
        ("run:teaching", CHECKPOINT),
        (CHECKPOINT, "models:/teacher/1"),
        ("models:/teacher/1", "run:telling"),
        (GIVEN, "run:telling"),
        ("run:telling", PREDICTIONS),
        (PREDICTIONS, WRITTEN),
        (WRITTEN, "run:learning"),
        (GIVEN, "run:learning"),
        ("run:learning", "models:/student/1"),
        ("models:/student/1", "run:tuning"),
        ("run:tuning", "models:/tuned/1"),
        ("models:/tuned/1", "run:judging-tuned"),
    }


def test_edges_are_sorted_as_nodes_are(family: Registry) -> None:
    lineage = family.lineage("student")
    place = {node_id: number for number, node_id in enumerate(ids(lineage))}

    assert list(lineage.edges) == sorted(lineage.edges, key=lambda edge: [place[one] for one in edge])
    assert family.lineage("student") == lineage


def test_ids_are_sorted_by_their_numbers(memory: Registry) -> None:
    add_teacher(memory)
    for number in range(1, 12):
        add_tuned(memory, f"tuning-{number}", "models:/teacher/1")

    models = [one for one in ids(memory.lineage("teacher")) if one.startswith("models:/tuned/")]
    assert models == [f"models:/tuned/{number}" for number in range(1, 12)]


def test_what_is_known_of_each(family: Registry) -> None:
    lineage = family.lineage("teacher@champion")

    assert node(lineage, DATA) == LineageNode(
        id=DATA,
        kind="data",
        label="train.de",
        details={
            "split": "train",
            "rows": "20",
            "bytes": "1,000",
            "sha256": sha("a"),
            "path": "train.de",
        },
    )
    assert node(lineage, "run:judging").label == "judging"
    assert node(lineage, "run:judging").details == {
        "kind": "evaluate",
        "status": "finished",
        "name": "de-en",
        "task": "translation",
        "started": "2026-11-21 00:06:00",
        "model": "models:/teacher/1",
        "scores": "test bleu 29.50, wer 7.25",
    }
    assert "scores" not in node(lineage, "run:teaching").details
    assert node(lineage, CHECKPOINT).label == "checkpoints/00000200"
    assert node(lineage, "models:/teacher/1").details["scores"] == "valid bleu 30.00"
    assert node(lineage, "models:/teacher/1").details["aliases"] == "champion"
    assert (node(lineage, PREDICTIONS).kind, node(lineage, PREDICTIONS).label) == ("predictions", "mono.en")
    assert node(lineage, PREDICTIONS).details["path"] == "/elsewhere/mono.en"


def test_a_run_by_the_beginning_of_its_id(family: Registry) -> None:
    lineage = family.lineage("teach")

    assert lineage.about == "run:teaching"
    assert not any("samples" in one for one in ids(lineage))
    assert {"models:/teacher/1", PREDICTIONS, "models:/tuned/1", "run:judging"} <= set(ids(lineage))
    assert lineage == family.lineage("run:teaching")


def test_a_mean_comes_from_several_checkpoints(memory: Registry) -> None:
    add_teacher(memory)
    path = "/runs/teaching/checkpoints/00000100"
    memory.add_artefact("teaching", kind="checkpoint", path=path, sha256="c100", size_bytes=5000)
    memory.add_model("again", "translation", "teaching", "/runs/teaching/model", "m1", [])

    other = "checkpoint:teaching/checkpoints/00000100"
    lineage = memory.lineage("teacher")
    assert set(lineage.edges) >= {
        *(("run:teaching", one) for one in (CHECKPOINT, other)),
        *((one, "models:/teacher/1") for one in (CHECKPOINT, other)),
    }
    assert ("run:teaching", "models:/teacher/1") not in lineage.edges
    assert {(CHECKPOINT, "models:/again/1"), (other, "models:/again/1")} <= set(memory.lineage(DATA).edges)


def test_data_leads_forward(family: Registry) -> None:
    lineage = family.lineage(sha("d"))

    assert lineage.about == TEST
    assert ids(lineage) == [TEST, "run:judging", "run:judging-tuned"]
    assert lineage == family.lineage(TEST)


def test_data_that_was_predicted_leads_back_too(family: Registry) -> None:
    edges = family.lineage(WRITTEN).edges

    assert (PREDICTIONS, WRITTEN) in edges
    assert (CHECKPOINT, "models:/teacher/1") in edges
    assert (WRITTEN, "run:learning") in edges


def test_files_without_content_are_not_the_same(memory: Registry) -> None:
    add_teacher(memory)
    memory.start_run(**FACTS, id="telling", kind="decode", data=[], model="models:/teacher/1")
    memory.add_artefact("telling", kind="predictions", path="/elsewhere/x", sha256=sha("0"), size_bytes=0)
    read = [file("nothing.de", "0", "train", bytes=0)]
    memory.start_run(**FACTS, id="learning", kind="train", data=read)

    assert "run:learning" not in ids(memory.lineage("teacher"))
    assert ids(memory.lineage("learning")) == [f"data:{sha('0')}", "run:learning"]


def test_a_content_may_have_several_names(memory: Registry) -> None:
    read = [file("b/two.de", "a", "valid"), file("b/two.de", "a", "train"), file("a/one.de", "a", "train")]
    memory.start_run(**FACTS, id="one", kind="train", data=read)

    data = node(memory.lineage("one"), DATA)
    assert data.label == "one.de"
    assert data.details == {
        "sha256": sha("a"),
        "path": "a/one.de",
        "other names": "b/two.de",
        "split": "train, valid",
    }


# What is asked about -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        *("teacher", "teacher/1", "teacher/latest", "teacher@champion"),
        *(
            "models:/teacher",
            "models:/teacher/1",
            "models:/teacher@champion",
            "runs:/teaching",
            "runs:/teach",
        ),
    ],
)
def test_uris_of_models(family: Registry, uri: str) -> None:
    assert family.lineage(uri).about == "models:/teacher/1"


def test_a_run_without_a_model_stands_for_it(family: Registry) -> None:
    assert family.lineage("runs:/judging-tuned").about == "run:judging-tuned"


def test_a_whole_id_of_a_run_comes_before_a_model_of_that_name(memory: Registry) -> None:
    add_judgement(memory, "judging", "models:/teacher/1")
    memory.add_model("judging", "translation", None, "/x", "m", [])
    memory.add_model("judg", "translation", None, "/x", "m", [])

    assert memory.lineage("judging").about == "run:judging"
    assert memory.lineage("models:/judging").about == "models:/judging/1"
    assert memory.lineage("judg").about == "models:/judg/1"


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (
            "teachor",
            r"no model and no run 'teachor' .*; the models are: student, teacher, tuned\. Did you mean 't",
        ),
        ("", "no model and no run ''"),
        ("t", r"several runs begin with 't'"),
        ("run:x", "no run 'x'"),
        ("runs:/x", "no run 'x'"),
        ("teacher/7", "no version 7 of model 'teacher'"),
        ("teacher@x", "no alias 'teacher@x'"),
        (sha("9"), f"no run read a file of data whose sha256 is '{sha('9')}'"),
        ("data:ab", "no run read a file of data whose sha256 is 'ab'"),
    ],
)
def test_what_is_not_there(family: Registry, subject: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        family.lineage(subject)


def test_an_empty_registry(memory: Registry) -> None:
    with pytest.raises(
        ConfigError, match=r"no model and no run 'x' in this registry; the models are: none\.$"
    ):
        memory.lineage("x")


# What is gone, or was never there ----------------------------------------------------------------------


def test_what_is_deleted_is_there_and_says_so(memory: Registry) -> None:
    add_family(memory)
    memory.delete_run("judging")
    memory.delete_model("student/1")

    lineage = memory.lineage("teacher")
    assert node(lineage, "run:judging").details["deleted"].startswith("2026-11-21 00:")
    assert node(lineage, "models:/student/1").details["deleted"].startswith("2026-11-21 00:")
    assert "deleted" not in node(lineage, "run:telling").details
    assert "models:/tuned/1" in ids(lineage)


def test_models_from_elsewhere(memory: Registry) -> None:
    add_judgement(memory, "one", "models:/foreign/3")
    add_judgement(memory, "two", "runs:/foreign")
    add_judgement(memory, "three", "data:x")
    add_tuned(memory, "four", "models:/foreign@champion")
    found = {
        run_id: [one for one in memory.lineage(run_id).nodes if one.kind == "model"]
        for run_id in ("one", "two", "three")
    }

    assert [(one.id, one.details) for one in found["one"]] == [
        ("models:/foreign/3", {"state": "not in this registry"})
    ]
    assert [one.id for one in found["two"]] == ["runs:/foreign"]
    assert [one.id for one in found["three"]] == ["model:data:x"]
    named = node(memory.lineage("four"), "models:/foreign@champion")
    assert named.details == {"state": "nobody noted which version that was"}


def test_a_model_that_is_used_before_it_is_registered(memory: Registry) -> None:
    memory.start_run(**FACTS, id="teaching", kind="train", data=[], folder="/runs/teaching")
    add_judgement(memory, "judging", "runs:/teaching")
    path = [("run:teaching", "runs:/teaching"), ("runs:/teaching", "run:judging")]

    for subject in ("teaching", "judging"):
        assert set(path) <= set(memory.lineage(subject).edges)
    memory.add_model("teacher", "translation", "teaching", "/runs/teaching/model", "m1", [])
    for subject in ("teaching", "judging", "teacher"):
        assert ("models:/teacher/1", "run:judging") in memory.lineage(subject).edges
        assert "runs:/teaching" not in ids(memory.lineage(subject))


def test_of_several_models_of_a_run_the_newest_is_meant(memory: Registry) -> None:
    add_teacher(memory)
    memory.add_model("again", "translation", "teaching", "/runs/teaching/model", "m1", [])
    add_judgement(memory, "judging", "runs:/teaching")

    for subject in ("judging", "again"):
        assert ("models:/again/1", "run:judging") in memory.lineage(subject).edges
        assert "models:/teacher/1" not in ids(memory.lineage(subject))
    assert "run:judging" not in ids(memory.lineage("teacher"))


def test_a_training_may_begin_from_what_is_not_registered(memory: Registry) -> None:
    memory.start_run(**FACTS, id="teaching", kind="train", data=[], folder="/runs/teaching")
    add_tuned(memory, "tuning", "runs:/teaching")

    for subject in ("teaching", "tuning", "tuned"):
        assert {("run:teaching", "runs:/teaching"), ("runs:/teaching", "run:tuning")} <= set(
            memory.lineage(subject).edges
        )


def test_a_model_without_a_run(memory: Registry) -> None:
    memory.add_model("old", "translation", None, "/x", "m", [])

    lineage = memory.lineage("old")
    assert (ids(lineage), lineage.edges) == (["models:/old/1"], ())


def test_an_imported_model(memory: Registry) -> None:
    memory.start_run(**FACTS, id="importing", kind="import", data=[], folder="/runs/importing")
    memory.add_model("old", "translation", "importing", "/runs/importing/model", "m", [score(20.0)])

    assert memory.lineage("old").edges == (("run:importing", "models:/old/1"),)
    assert memory.lineage("importing").edges == (("run:importing", "models:/old/1"),)


def test_names_within_names_are_others(memory: Registry) -> None:
    for version in range(12):
        memory.add_model("x", "translation", None, "/x", f"m{version}", [])
    add_tuned(memory, "tuning", "models:/x/12")

    assert ids(memory.lineage("x/1")) == ["models:/x/1"]
    assert ("models:/x/12", "run:tuning") in memory.lineage("x/12").edges


def test_a_circle_ends(memory: Registry) -> None:
    add_tuned(memory, "one", "models:/tuned/2")
    add_tuned(memory, "two", "models:/tuned/1")

    assert len(memory.lineage("tuned/1").edges) == 6


def test_a_deep_configuration(memory: Registry) -> None:
    config: dict[str, object] = {"initial": "models:/teacher/1"}
    for _ in range(300):
        config = {"part": [config]}
    add_teacher(memory)
    memory.start_run(**FACTS | {"config": config}, id="one", kind="train", data=[])

    assert ("models:/teacher/1", "run:one") in memory.lineage("one").edges
    assert ("models:/teacher/1", "run:one") in memory.lineage("teacher").edges


def test_every_database_says_the_same(registry: Registry, family: Registry) -> None:
    add_family(registry)

    for subject in ("teacher", "student", "tuning", "judging", DATA, WRITTEN):
        for limit in (1, 20):
            assert registry.lineage(subject, limit=limit) == family.lineage(subject, limit=limit)
