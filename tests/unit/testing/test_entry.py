"""Every first-party entry module keeps its contract; each broken one below fails the test named."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqloom import builtin
from seqloom.keys import keys_of
from seqloom.testing import EntryContract

ROOT = Path(__file__).parents[3]
MODULES = sorted(path.parent.name for path in ROOT.glob("plugins/*/src/*/__init__.py"))
TESTS = [name for name in dir(EntryContract) if name.startswith("test_")]

WHOLE = """
from pydantic import Field
from seqloom.hooks import EncoderSpec, NoOptions, Options, hookimpl
seqloom_api = 1

class Stretch(Options):
    factor: float = Field(1.0, description="How far.")

class Given(Options):
    layers: int = Field(2, description="How many.")
    stretch: Stretch = Field(Stretch(), description="Of time.")

def load():
    return lambda options, parts: None

@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="given", summary="Given", options=Given, load=load)]
"""
HOOK_ONCE = "    return [EncoderSpec("
CASES = {
    "whole": ("", "", set()),
    "heavy": ("seqloom_api = 1", "import torch\nseqloom_api = 1", {"the_entry_module_imports_no_torch"}),
    "speechless": (', description="How many."', "", {"every_option_is_described"}),
    "speechless_within": (', description="How far."', "", {"every_option_is_described"}),
    "lenient": (
        "class Stretch(Options):",
        "from pydantic import BaseModel\nclass Stretch(BaseModel):",
        {"unknown_options_are_refused"},
    ),
    "unlike_json": ("layers: int = Field(2", "layers: bytes = Field(b'\\xff'", {"options_survive_json"}),
    "without_code": (
        "    return lambda",
        "    import no_such_code\n    return lambda",
        {"the_code_of_each_part_is_there"},
    ),
    "fickle": (
        HOOK_ONCE,
        "    asked.append(1)\n    return [] if len(asked) % 2 else [EncoderSpec(",
        {"its_hooks_say_the_same_again"},
    ),
    "for_no_api": ("seqloom_api = 1", "seqloom_api = 99", {"the_catalog_takes_it"}),
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules; its torch takes no seconds to import."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "torch.py").touch()
    yield tmp_path
    for name in CASES:
        sys.modules.pop(f"entry_{name}", None)


@pytest.mark.parametrize("case", CASES)
def test_a_broken_entry_module_is_refused(case, failures, site):
    before, after, wanted = CASES[case]
    assert before in WHOLE
    text = WHOLE.replace(before, after) if before else WHOLE
    (site / f"entry_{case}.py").write_text(text.replace("def load", "asked = []\n\ndef load"))
    importlib.invalidate_caches()
    assert wanted <= failures(EntryContract, module=f"entry_{case}")
    assert wanted or not failures(EntryContract, module=f"entry_{case}")


@pytest.mark.parametrize("module", MODULES)
def test_the_entry_modules_of_our_plugins_keep_it(module, failures):
    assert failures(EntryContract, module=module) == set()


def test_every_option_of_the_core_is_described():
    hooks = [getattr(builtin, name) for name in builtin.__all__]
    keys = [(spec.name, key) for hook in hooks for spec in hook() for key in keys_of(spec.options)]
    assert len(keys) > 40
    assert [(name, key.name) for name, key in keys if not key.description] == []
