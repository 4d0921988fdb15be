"""Does a plugin do what the core relies on? Contracts of all that it offers, and of its own tests.

What can be built from specs is tested as it is; what needs data of its author's (files to read, targets of
a task) is tested by the contracts that the distribution's own tests inherit.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from seqloom.catalog import Catalog
from seqloom.testing import rehearsal
from seqloom.testing.entry import EntryContract
from seqloom.testing.generic import OF_TEXTS, PART_NAMES, contract_of, has_defaults, is_whole
from seqloom.testing.hints import HINTS

USABLE = "it can be used"
State = Literal["kept", "broken", "unchecked"]
LONGEST = 300  # characters of what went wrong
OWN = {
    "unchecked": "its tests are not at hand: check the folder of its source",
    "broken": "write a test that inherits seqloom.testing.{}: only you know what it may be given",
}
NO_TESTS = 5  # what pytest ends in where there is none to run


class Verdict(NamedTuple):
    """What became of one check.

    Attributes:
        check: What must hold.
        part: Of what.
        state: Whether it does; ``unchecked`` where nobody could tell.
        advice: What went wrong, and what to do.
    """

    check: str
    part: str
    state: State
    advice: str = ""


def check(distribution: str, tests: Path | None) -> Iterator[Verdict]:
    """All that can be said of a plugin's distribution, check by check.

    Args:
        distribution: Its name, as installed.
        tests: The folder of its tests, None where they are not at hand.
    """
    catalog = Catalog.from_environment()
    catalog.introduce(rehearsal.NAME, rehearsal)
    plugins = [plugin for plugin in catalog.plugins() if plugin.distribution == distribution]
    found = list(_own_tests(tests)) if tests is not None else []
    if not plugins:
        why = "no entry point of it is found: install it, or look at the name in its pyproject.toml"
        yield Verdict(USABLE, distribution, "broken", why)
    for plugin in plugins:
        yield Verdict(USABLE, plugin.label, "kept" if plugin.state == "ok" else "broken", plugin.reason)
        if plugin.state == "ok":
            entry = {"module": plugin.module.partition(":")[0]}
            yield from _followed(type("Entry", (EntryContract,), entry), plugin.label)
            for kind, name, _ in plugin.offers:
                yield from _part(kind, name, catalog, found, tests)
    yield from map(_own, found)


def _part(
    kind: str, name: str, catalog: Catalog, found: list[dict[str, Any]], tests: Path | None
) -> Iterator[Verdict]:
    spec: Any = catalog.get(kind, name)
    label = f"{kind} '{name}'"
    wanted = PART_NAMES.get(kind, f"{kind.capitalize()}Contract")
    own = any(wanted in record["contracts"] for record in found)
    if has_defaults(spec):
        if not (own and kind in OF_TEXTS):
            yield from _followed(contract_of(kind, spec), label)
        if rehearsal.can_rehearse(kind, spec):
            rehearse = partial(rehearsal.rehearse, kind, spec, catalog)
            yield _attempted("test_a_model_folder_is_the_same_when_loaded", label, rehearse)
    if own:
        yield Verdict(f"own tests inherit {wanted}", label, "kept")
    elif not (has_defaults(spec) and is_whole(kind, spec)):
        state: State = "unchecked" if tests is None else "broken"
        yield Verdict(f"own tests inherit {wanted}", label, state, OWN[state].format(wanted))


def _followed(contract: type, label: str) -> Iterator[Verdict]:
    """What became of each test of a contract."""
    for name in sorted(dir(contract)):
        if name.startswith("test_") and callable(getattr(contract, name)):
            yield _attempted(name, label, partial(_call, getattr(contract(), name)))


def _call(test: Callable[..., None], folder: Path) -> None:
    test(**({"tmp_path": folder} if "tmp_path" in inspect.signature(test).parameters else {}))


def _attempted(name: str, label: str, test: Callable[[Path], None]) -> Verdict:
    check = _said(name)
    with tempfile.TemporaryDirectory() as folder:
        try:
            test(Path(folder))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a plugin's code may raise
            return Verdict(check, label, "broken", _advice(name, error))
    return Verdict(check, label, "kept")


def _said(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _advice(name: str, error: BaseException) -> str:
    what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return "; ".join(filter(None, (textwrap.shorten(what, LONGEST, placeholder=" …"), HINTS.get(name, ""))))


# Own tests ---------------------------------------------------------------------------------------------


def _own_tests(tests: Path) -> Iterator[dict[str, Any]]:
    """Runs the contracts among them, and gives what became of each."""
    if importlib.util.find_spec("pytest") is None:
        yield {"test": str(tests), "contracts": [], "outcome": "failed", "said": "pytest is not installed"}
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        own = ("-p", "seqloom.testing.own", f"--seqloom-report={report}", "-p", "no:cacheprovider")
        done = subprocess.run(  # noqa: S603 - the author's own tests
            [sys.executable, "-m", "pytest", "--quiet", *own, str(tests)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tests.parent,
            check=False,
            text=True,
        )
        records = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else []
        failed = any(record["outcome"] == "failed" for record in records)
        if done.returncode not in (0, NO_TESTS) and not failed:
            last = textwrap.shorten(" ".join(done.stdout.split()[-40:]), LONGEST, placeholder=" …")
            yield {"test": str(tests), "contracts": [], "outcome": "failed", "said": f"pytest says: {last}"}
        yield from records


def _own(record: dict[str, Any]) -> Verdict:
    file, _, name = record["test"].partition("::")
    states: dict[str, State] = {"passed": "kept", "skipped": "unchecked"}
    said = textwrap.shorten(record["said"], LONGEST, placeholder=" …")
    hint = HINTS.get(name.rpartition("::")[2], "") if record["outcome"] == "failed" else ""
    advice = "; ".join(filter(None, (said, hint)))
    return Verdict(name or "own tests", Path(file).name, states.get(record["outcome"], "broken"), advice)
