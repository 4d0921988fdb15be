"""Plugins that are broken, each in one way: its source, and what is to be told of it.

What ``seqloom plugins list`` tells is in LISTED; what only ``seqloom plugins doctor`` can find, as it imports
and builds, is in EXAMINED; UNREADABLE are those that libraries stumble over, too. A source of None leaves the module out; the other fields are of the distribution.
"""

from __future__ import annotations

from typing import NamedTuple

HEAD = """
from pydantic import Field
from seqloom.hooks import EncoderSpec, NoOptions, Options, TaskSpec, hookimpl
seqloom_api = 1

def load():
    from seqloom.nn.encoder import NoEncoder
    return lambda options, parts: NoEncoder(parts.width)

def encoder(name=__name__.replace("fake", "part"), summary="One", options=NoOptions, load=load):
    return EncoderSpec(name=name, summary=summary, options=options, load=load)

def task(name=__name__.replace("fake", "part"), **fields):
    fields = dict(verb=name, flags=NoOptions, inputs={}, presets={}) | fields
    return TaskSpec(name=name, summary="Does", options=NoOptions, load=load_task, **fields)

def load_task():
    from seqloom.task import TextTask

    class Some(TextTask):
        def configure(self, flags, decode):
            return decode

        def deliver(self, predictions, flags, modalities):
            return []

    return lambda options, tokenizer: Some(tokenizer)
"""


class Broken(NamedTuple):
    """A broken plugin, and what is said of it."""

    source: str | None
    reason: str
    entry: str = "{name} = {module}"
    metadata: str = "Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1\n"
    encoding: str = "utf-8"
    in_use: bool = False


def encoders(answer: str, before: str = "") -> str:
    return f"{HEAD}\n{before}\n\n@hookimpl\ndef seqloom_encoders():\n    return {answer}\n"


def tasks(answer: str) -> str:
    return f"{HEAD}\n@hookimpl\ndef seqloom_tasks():\n    return {answer}\n"


def api(asked: str) -> str:
    return encoders("[encoder()]").replace("seqloom_api = 1", asked)


def misbehaves(code: str) -> str:
    return code + encoders("[encoder()]")


GOOD = encoders("[encoder('fine')]")

LISTED = {
    # Its import
    "import-error": Broken("raise ImportError('no libfoo')", "importing it raised ImportError: no libfoo"),
    "exits": Broken("import sys; sys.exit(3)", "importing it raised SystemExit: 3"),
    "no-module": Broken(None, "importing it raised ModuleNotFoundError: No module named 'fake_no_module'"),
    "no-attribute": Broken(HEAD, "raised AttributeError: .* has no attribute 'n'", "{name} = {module}:n"),
    "dependency": Broken(
        "import libfoo", "importing it raised ModuleNotFoundError: No module named 'libfoo'"
    ),
    "syntax": Broken(
        "def f(:", r"importing it raised SyntaxError: invalid syntax \(fake_syntax.py, line 1\)"
    ),
    "recursion": Broken("def f(): f()\nf()", "importing it raised RecursionError: maximum recursion depth"),
    "base-exception": Broken("raise BaseException('odd')", "importing it raised BaseException: odd"),
    "interrupt": Broken("raise KeyboardInterrupt", "importing it raised KeyboardInterrupt"),
    "interrupted": Broken(
        "from seqloom.errors import Interrupted\nraise Interrupted('me')",
        "importing it raised Interrupted: me",
    ),
    # Its plugin API
    "no-api": Broken(api(""), "does not say which plugin API it is for: seqloom_api = 1"),
    "too-new": Broken(
        api("seqloom_api = 2"),
        r"written for plugin API 2, and this is Seqloom \S+ with plugin API 1.1; upgrade Seqloom: pip install",
    ),
    "newer-range": Broken(
        api("seqloom_api = '>=1.9,<2'"), "written for plugin API >=1.9,<2, .*upgrade Seqloom"
    ),
    "too-old": Broken(
        api("seqloom_api = '<1'"),
        "written for plugin API <1, .*; upgrade the plugin: pip install --upgrade seqloom-too-old",
    ),
    "nonsense": Broken(
        api("seqloom_api = 'one'"), "its seqloom_api is 'one', neither a whole number nor a range"
    ),
    "list-api": Broken(
        api("seqloom_api = [1]"), r"its seqloom_api is \[1\], neither a whole number nor a range"
    ),
    # Its hooks
    "misspelt": Broken(
        f"{HEAD}\n@hookimpl\ndef seqloom_encodrs(): return []",
        "no hook 'seqloom_encodrs'. Did you mean 'seqloom_encoders'?",
    ),
    "unmarked": Broken(
        f"{HEAD}\ndef seqloom_encoders(): return []", "seqloom_encoders is not marked as a hook"
    ),
    "arguments": Broken(
        f"{HEAD}\n@hookimpl\ndef seqloom_encoders(x): return []", "registering its hooks raised .*'x'"
    ),
    "hook-raises": Broken(encoders("[1 / 0]"), "hook seqloom_encoders raised ZeroDivisionError"),
    "no-list": Broken(encoders("encoder()"), "hook seqloom_encoders returned EncoderSpec, not a list"),
    "no-specs": Broken(
        encoders("['mine']"), "hook seqloom_encoders returned a list with str, not EncoderSpec"
    ),
    # Its specs
    "name": Broken(encoders("[encoder('My Encoder')]"), "encoder 'My Encoder': a name has small letters"),
    "summary": Broken(encoders("[encoder(summary='a\\nb')]"), "summary is not one line: 'a.nb'"),
    "no-options": Broken(
        encoders("[encoder(options=dict)]"), "options is not a subclass of seqloom.hooks.Opt"
    ),
    "extra": Broken(
        encoders("[encoder(options=Loose)]", "class Loose(Options, extra='allow'):\n    pass"),
        "options has extra='allow' in its model_config, where all have extra='forbid'",
    ),
    "odd-spec": Broken(
        tasks("[task(inputs=Odd())]")
        + "\nfrom collections import UserDict\nclass Odd(UserDict):\n    def __iter__(self): raise OSError('odd')\n",
        "asking what it offers raised OSError: odd",
    ),
    "core-name": Broken(
        encoders("[encoder('rnn')]"), "its encoder 'rnn' is already offered by plugin 'seqloom'"
    ),
    "taken-name": Broken(
        encoders("[encoder('fine')]"), "its encoder 'fine' is already offered by plugin 'a-good-one'"
    ),
    "verb": Broken(
        tasks("[task(verb='train')]"), "the verb 'train' of its task is already taken by the comm"
    ),
    # Its distribution
    "twice": Broken(GOOD, "has an entry point of the same name, 'a-good-one'", "a-good-one = {module}"),
    "entry-name": Broken(
        GOOD, "the name of its entry point has other than letters", "my plugin! = {module}"
    ),
    "no-metadata": Broken(GOOD, "its metadata lacks a name or a version; install it anew", metadata=""),
    "no-value": Broken(GOOD, "importing it raised", entry="{name} = not a module"),
    # What it does besides; it can be used all the same
    "prints": Broken(misbehaves("print('hello')"), "importing it prints 'hello'", in_use=True),
    "warns": Broken(
        misbehaves("import warnings; warnings.warn('old')"),
        "importing it warns: UserWarning: old",
        in_use=True,
    ),
    "folder": Broken(
        misbehaves("import os; os.chdir('/')"), "importing it changes the working folder; that", in_use=True
    ),
    "path": Broken(
        misbehaves("import sys; sys.path.insert(0, '/tmp')"),
        "importing it changes sys.path; that",
        in_use=True,
    ),
    "environment": Broken(
        misbehaves("import os; os.environ['TAKEN'] = '1'; os.environ.pop('HOME', None)"),
        r"importing it changes environment variables \((HOME, )?TAKEN\); that was undone",
        in_use=True,
    ),
    "signals": Broken(
        misbehaves("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"),
        r"importing it changes signal handlers \(SIGTERM\); that was undone",
        in_use=True,
    ),
    "stdout": Broken(
        misbehaves("import sys, io; sys.stdout = io.StringIO()"),
        "importing it changes sys.stdout;",
        in_use=True,
    ),
}

EXAMINED = {
    "heavy": Broken(
        misbehaves("import torch"), "importing it imports torch, which every command then waits"
    ),
    "slow": Broken(
        misbehaves("import time; time.sleep(0.6)"), r"importing it takes \d+\.\d s, for which every"
    ),
    "requires": Broken(
        GOOD.replace("'fine'", "'requires'"),
        "it requires libfoo>=2, which is not installed: pip install 'libfoo>=2'",
        metadata="Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1\nRequires-Dist: libfoo>=2\n",
    ),
    "requires-newer": Broken(
        GOOD.replace("'fine'", "'requires-newer'"),
        r"it requires seqloom>=99, and \S+ is installed: pip install 'seqloom>=99'",
        metadata="Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1\nRequires-Dist: seqloom>=99\n",
    ),
    "load-raises": Broken(
        encoders("[encoder(load=missing)]", "def missing():\n    import libfoo"),
        "loading encoder 'part_load_raises' raised ModuleNotFoundError: No module named 'libfoo'",
    ),
    "load-none": Broken(
        encoders("[encoder(load=lambda: None)]"),
        "loading encoder 'part_load_none' gave NoneType, not a builder",
    ),
    "build-raises": Broken(
        encoders("[encoder(load=lambda: lambda options, parts: 1 / 0)]"),
        "building encoder 'part_build_raises' raised ZeroDivisionError: division by zero",
    ),
    "build-none": Broken(
        encoders("[encoder(load=lambda: lambda options, parts: None)]"),
        "building encoder 'part_build_none' gave NoneType, not a seqloom.nn.encoder.Encoder",
    ),
    "default": Broken(
        encoders("[encoder(options=Bad)]", "class Bad(Options):\n    layers: int = Field(0, ge=1)"),
        "encoder 'part_default': option layers has a default that it refuses: expected .* 1, found 0",
    ),
    "preset": Broken(
        tasks("[task(presets={'tiny': {'model': {'widht': 3}}})]"),
        "preset tiny: model: no key 'widht'; .*Did you mean 'width'",
    ),
    "modality": Broken(
        tasks("[task(inputs={'source': 'smell'})]"),
        "its input 'source' is of modality 'smell', which no plugin in use offers",
    ),
}

UNREADABLE = {
    "garbled": Broken(GOOD, "its metadata cannot be read", entry="no equals sign"),
    "encoding": Broken(GOOD, "its metadata cannot be read", encoding="utf-16"),
}
"""What torch and pydantic stumble over as well, which look for plugins of theirs: listing alone goes on."""
