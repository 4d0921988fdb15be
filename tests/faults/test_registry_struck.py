"""A registry struck at random moments of a training, which goes on; what it missed it is told once."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seqloom.registry.store import Registry
from strikes import IN_A_FILE, ON_A_SERVER, Fault, Locked

pytestmark = pytest.mark.faults
FAULTY = Path(__file__).parents[1] / "faulty"
STEPS, EVERY = 40, 4
OPTIONS = (f"--set=train.steps={STEPS}", f"--set=evaluate.every={EVERY}", "--set=model.head=faulty")
TRACE, SAID = "trace", "said"
BATCHES = 40
"""Of such a training and its evaluations, about."""
AWAY = {74, 75, 78}
"""What a training ends in whose registry is away: unreadable, locked, another."""


class Trial:
    """A training whose registry meets a fault.

    Args:
        place: Where it takes place.
        parent: Forks its processes.
        fault: What happens.
        chance: Makes of each trial another.
    """

    def __init__(self, place: Any, parent: Any, fault: Fault, chance: random.Random) -> None:
        self.place = place
        self.parent = parent
        self.fault = fault
        self.chance = chance

    def __call__(self) -> tuple[Path, str]:
        """Does it; gives the training's folder, and when the fault was over."""
        before = set(self.place.folder.glob("runs/2*"))
        child = self._begin("train", "job.yaml", *OPTIONS)
        first, length = self.chance.randrange(BATCHES), self.chance.randrange(1, BATCHES)
        assert self._wait(child, first), self.said()
        self._meet(child, self.fault.strike)
        if isinstance(self.fault, Locked):  # a minute is waited for that
            time.sleep(self.chance.uniform(0, 2))
        if isinstance(self.fault, Locked) or self._wait(child, first + length):
            self._meet(child, self.fault.mend)
            when = "within the training"
            code = self._end()
        else:
            code = self._end()
            self.fault.mend()
            when = "after the training"
        [folder] = set(self.place.folder.glob("runs/2*")) - before
        assert code in {0} | AWAY, self.said()
        assert (folder / "model" / "manifest.json").exists(), self.said()
        if code or self._status(folder) == "running":  # the copy that was put back knows of no end
            self._begin("resume", folder.name)
            assert self._end() == 0, self.said()
        self._check(folder)
        return folder, when

    def said(self) -> str:
        """What the last command said."""
        text: str = (self.place.folder / SAID).read_text()
        return text

    def _check(self, folder: Path) -> None:
        """The registry knows all, and all once."""
        with Registry(self.fault.url) as registry:
            run = registry.run(folder.name)
            assert (run.status, run.error, run.model) == ("finished", None, "models:/reverser/1")
            steps = [score.step for score in run.scores if score.metric == "ppl"]
            assert steps == list(range(EVERY, STEPS + 1, EVERY))
            assert [model.version for model in registry.models()] == [1]
            assert [one.id for one in registry.runs()] == [run.id]
            events = [(event.kind, event.at) for event in registry.events(run.id)]
            assert len(events) == len(set(events))
            assert [kind for kind, _ in events].count("started") == 1
            left = [one.path for one in registry.artefacts(run.id)]
            assert len(left) == len(set(left)) > 0
        assert not (folder / "registry.jsonl").exists()

    def _status(self, folder: Path) -> str:
        with Registry(self.fault.url) as registry:
            return registry.run(folder.name).status

    def _begin(self, *words: str) -> int:
        (self.place.folder / TRACE).write_text("")
        child: int = self.parent.child(json.dumps(["--registry", self.fault.url, *words]))
        self.parent.wake(child)
        return child

    def _end(self) -> int:
        code: int = self.parent.exit_code()
        assert "Traceback" not in self.said()
        return code

    def _wait(self, child: int, batches: int) -> bool:
        """Until there were so many batches; whether the training is still there then."""
        while is_alive(child):
            if len((self.place.folder / TRACE).read_text().splitlines()) > batches:
                time.sleep(self.chance.uniform(0, 0.02))
                return is_alive(child)
            time.sleep(0.002)
        return False

    def _meet(self, child: int, act: Callable[[], None]) -> None:
        """While the training stands, where the fault does not wait for who writes."""
        with suppress(ProcessLookupError):  # it has come to its end
            if self.fault.stands:
                os.kill(child, signal.SIGSTOP)
        try:
            act()
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)


def is_alive(child: int) -> bool:
    """Whether it is there, and its parent has not buried it yet."""
    return Path(f"/proc/{child}").exists()


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def losses(folder: Path) -> list[tuple[int, float]]:
    """That of each step, as it was logged."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


@pytest.fixture
def forks(workplace: Any, parent: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Forks commands in the workplace."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    environment = workplace.environment | {"FAULTY_TRACE": TRACE, "SAID": SAID}
    return parent("seqloom_child.py", cwd=workplace.folder, env=environment)


def endure(place: Any, forks: Any, made: Callable[[int, random.Random], Fault], trials: int) -> None:
    """Trials one after another; each training ends as one that nothing befell."""
    forks.wake(forks.child(json.dumps(["train", "job.yaml", *OPTIONS])))
    assert forks.exit_code() == 0
    [alone] = place.folder.glob("runs/2*")
    met: Counter[str] = Counter()
    for number in range(trials):
        chance = random.Random(number)
        fault = made(number, chance)
        try:
            fault.prepare()
            folder, when = Trial(place, forks, fault, chance)()
        except BaseException:
            print(f"trial {number}: {type(fault).__name__}")
            raise
        finally:
            fault.close()
        assert weights(folder) == weights(alone)
        assert losses(folder) == losses(alone)
        met[f"{type(fault).__name__}, over {when}"] += 1
    print(f"{trials} of {trials}: {dict(sorted(met.items()))}")


def test_a_registry_in_a_file_is_told_all_once_whatever_befalls_it(workplace: Any, forks: Any) -> None:
    def made(number: int, chance: random.Random) -> Fault:
        folder = workplace.folder / f"registry{number}"
        folder.mkdir()
        return IN_A_FILE[number % len(IN_A_FILE)](folder, chance)

    endure(workplace, forks, made, trials=38)


def test_a_registry_behind_a_server_is_told_all_once_whatever_befalls_that(
    workplace: Any, forks: Any, postgres: Any
) -> None:
    def made(number: int, chance: random.Random) -> Fault:
        return ON_A_SERVER[number % len(ON_A_SERVER)](postgres, chance)

    endure(workplace, forks, made, trials=12)
