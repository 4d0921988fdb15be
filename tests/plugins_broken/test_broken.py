"""Each broken plugin is named with its reason, and everything else works on: in process, and as users see it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from specimens import EXAMINED, GOOD, LISTED, UNREADABLE, Broken

from seqloom.catalog import Catalog, Plugin
from seqloom.checkup import examine
from seqloom.errors import PluginError
from seqloom.hooks import EncoderParts
from seqloom.jobfile import load_job

Put = Callable[[str, Broken], Path]
ALL = LISTED | EXAMINED


@pytest.fixture
def good(put: Put) -> None:
    put("a-good-one", Broken(GOOD, ""))


def of(catalog: Catalog, name: str) -> Plugin:
    names = (f"seqloom-{name}", f"seqloom_{name}".replace("-", "_"))  # that of its folder, if need be
    (found,) = [one for one in catalog.plugins() if one.distribution in names]
    return found


def works(catalog: Catalog, part: str) -> bool:
    options = catalog.get("encoder", part).options()
    return bool(catalog.build("encoder", part, options, EncoderParts(width=8)).width == 8)


def test_there_are_thirty_of_them_and_more() -> None:
    assert len(ALL) >= 30


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("name", LISTED)
def test_a_broken_plugin_is_named_and_stops_nobody(name: str, put: Put) -> None:
    specimen = LISTED[name]
    put(name, specimen)
    before = (Path.cwd(), dict(os.environ), list(sys.path), sys.stdin, sys.stdout, sys.stderr)
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    catalog = Catalog.discover()
    assert before == (Path.cwd(), dict(os.environ), list(sys.path), sys.stdin, sys.stdout, sys.stderr)
    assert handlers == [signal.getsignal(number) for number in signal.valid_signals()]
    plugin = of(catalog, name)
    assert plugin.state == ("ok" if specimen.in_use else "quarantined")
    (told,) = plugin.troubles
    assert re.search(specimen.reason, told)
    assert told.startswith(plugin.label)
    assert "\n" not in told
    assert works(catalog, "fine")
    assert works(catalog, "none")
    assert of(catalog, "a-good-one").troubles == []
    if specimen.in_use:
        assert works(catalog, f"part_{name}")


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("name", EXAMINED)
def test_what_only_an_examination_finds(name: str, put: Put) -> None:
    put(name, EXAMINED[name])
    catalog = Catalog.discover()
    plugin = of(catalog, name)
    assert plugin.state == "ok"
    (told,) = examine(plugin, catalog)
    assert re.search(EXAMINED[name].reason, told)
    assert examine(of(catalog, "a-good-one"), catalog) == []


@pytest.mark.parametrize("name", ["load-raises", "load-none", "build-raises"])
def test_a_part_that_fails_when_it_is_used_names_its_plugin(name: str, put: Put) -> None:
    put(name, EXAMINED[name])
    with pytest.raises(
        PluginError, match=rf"^plugin '{name}' \(seqloom-{name} 0.1\): {EXAMINED[name].reason}"
    ):
        works(Catalog.discover(), f"part_{name.replace('-', '_')}")


def test_a_bad_default_is_the_plugins_and_may_be_overridden(put: Put, workplace: Any) -> None:
    put("default", EXAMINED["default"])
    catalog = Catalog.discover()
    with pytest.raises(PluginError, match=rf"^plugin 'default' .*: {EXAMINED['default'].reason}"):
        load_job(workplace.job, catalog, ["model.encoder={name: part_default}"])
    # `model.encoder=…` merges with the job's own encoder, whose options are others
    whole = workplace.job.read_text().replace(
        "{name: transformer, layers: 1, heads: 2, feed_forward: 64, dropout: 0.1}",
        "{name: part_default, layers: 1}",
        1,
    )
    workplace.job.write_text(whole)
    assert load_job(workplace.job, catalog).config.model.encoder.options == {"layers": 1}


# As users see it ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("good")
def test_all_of_them_together_through_the_command_line(put: Put, workplace: Any) -> None:
    for name, specimen in ALL.items():
        put(name, specimen)
    listed = workplace.run("plugins", "list")
    for name, specimen in LISTED.items():
        assert any(re.search(specimen.reason, line) for line in listed.stdout.splitlines()), name
    records = json.loads(workplace.run("plugins", "list", "--json").stdout)
    states = {record["distribution"]: record["state"] for record in records}
    assert {states["seqloom"], states["seqloom-text"], states["seqloom-a-good-one"]} == {"ok"}
    helped = workplace.run("--help")
    assert "translate" in helped.stdout
    assert "hello" not in helped.stdout
    examined = json.loads(workplace.run("plugins", "doctor", "--json", code=78).stdout)
    lines = {record["distribution"]: record["found"] for record in examined}
    for name, specimen in EXAMINED.items():
        assert any(re.search(specimen.reason, line) for line in lines[f"seqloom-{name}"]), name
    assert lines["seqloom-a-good-one"] == lines["seqloom"] == lines["seqloom-translation"] == []
    job = workplace.job.read_text().replace(
        "{name: transformer, layers: 1, heads: 2", "{name: fine, x: {y: 2", 1
    )
    job = re.sub(r"encoder: \{name: fine.*", "encoder: fine", job)
    workplace.job.write_text(job)
    assert workplace.run("train", "job.yaml").stdout == "models:/reverser/1\n"


@pytest.mark.slow
@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_distribution_that_nobody_can_read_is_named(name: str, put: Put, workplace: Any) -> None:
    put(name, UNREADABLE[name])
    told = workplace.run("plugins", "list").stdout
    wanted = (
        rf"^plugin 'seqloom_{name}' \(.*\) was set aside: {UNREADABLE[name].reason}.*; install it anew$"
    )
    assert re.search(wanted, told, re.MULTILINE)
    assert re.search(r"^a-good-one +0.1 +seqloom-a-good-one +ok ", told, re.MULTILINE)
    assert "translate" in workplace.run("--help").stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["load-raises", "load-none", "build-raises", "default"])
def test_a_job_that_uses_a_broken_part_ends_well(name: str, put: Put, workplace: Any) -> None:
    put(name, EXAMINED[name])
    job = re.sub(r"encoder: \{.*", f"encoder: part_{name.replace('-', '_')}", workplace.job.read_text())
    workplace.job.write_text(job)
    told = workplace.run("train", "job.yaml", code=78).stderr
    assert re.search(rf"error: .*plugin '{name}' \(seqloom-{name} 0.1\): {EXAMINED[name].reason}", told)
