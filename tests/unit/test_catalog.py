from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from seqloom.catalog import KINDS, Catalog, Plugin
from seqloom.errors import ConfigError, Interrupted, PluginError
from seqloom.hooks import HookSpecs
from seqloom.plugincheck import HOOKS, NAMING_HOOKS

Install = Callable[..., Path]

HEAD = """
seqloom_api = 1
from seqloom.hooks import EncoderSpec, FormatSpec, ModalitySpec, NoOptions, Options, TaskSpec, hookimpl

def encoder(name="mine", summary="One", options=NoOptions, load=print):
    return EncoderSpec(name=name, summary=summary, options=options, load=load)

def task(name="do", **fields):
    fields = dict(verb=name, flags=NoOptions, inputs={}, presets={}) | fields
    return TaskSpec(name=name, summary="Does", options=NoOptions, load=print, **fields)
"""


def encoders(answer: str) -> str:
    return f"{HEAD}\n@hookimpl\ndef seqloom_encoders():\n    return {answer}\n"


def tasks(answer: str) -> str:
    return f"{HEAD}\n@hookimpl\ndef seqloom_tasks():\n    return {answer}\n"


def modality(files: str) -> str:
    spec = f"ModalitySpec(name='image', summary='One', options=NoOptions, load=print, files={files})"
    return f"{HEAD}\n@hookimpl\ndef seqloom_modalities():\n    return [{spec}]\n"


def flags(body: str) -> str:
    return tasks("[task(flags=Flags)]") + f"\nclass Flags(Options):\n    {body}\n"


BROKEN = {
    "import error": ("raise ImportError('no libfoo')", "importing it raised ImportError: no libfoo"),
    "exit": ("raise SystemExit(3)", "importing it raised SystemExit: 3"),
    "silent": ("raise ValueError", "importing it raised ValueError$"),
    "no module": (None, "importing it raised ModuleNotFoundError"),
    "no API": ("", "does not say which plugin API it is for: seqloom_api = 1"),
    "other API": (
        "seqloom_api = 2",
        "was written for plugin API 2, and this is Seqloom .* with plugin API 1.1",
    ),
    "misspelt": (
        f"{HEAD}\n@hookimpl\ndef seqloom_encodrs(): return []",
        "no hook 'seqloom_encodrs'. Did you mean 'seqloom_encoders'?",
    ),
    "unmarked": (f"{HEAD}\ndef seqloom_encoders(): return []", "seqloom_encoders is not marked as a hook"),
    "arguments": (
        f"{HEAD}\n@hookimpl\ndef seqloom_encoders(x): return []",
        "registering its hooks raised .*'x'",
    ),
    "raises": (encoders("[1 / 0]"), "hook seqloom_encoders raised ZeroDivisionError: division by zero"),
    "nothing": (encoders("None"), "hook seqloom_encoders returned NoneType, not a list of EncoderSpec"),
    "text": (encoders("'mine'"), "hook seqloom_encoders returned str, not a list of EncoderSpec"),
    "other spec": (encoders("[task()]"), "returned a list with TaskSpec, not EncoderSpec"),
    "name": (encoders("[encoder('My Encoder')]"), "encoder 'My Encoder': a name has small letters"),
    "summary": (encoders("[encoder(summary=3)]"), "encoder 'mine': summary is not a text"),
    "options": (encoders("[encoder(options=dict)]"), "encoder 'mine': options is not a subclass"),
    "load": (encoders("[encoder(load=None)]"), "encoder 'mine': load cannot be called"),
    "twice": (encoders("[encoder(), encoder()]"), "its encoder 'mine' is already offered by itself"),
    "clash": (
        encoders("[encoder('rnn')]"),
        r"its encoder 'rnn' is already offered by plugin 'seqloom' \(seqloom",
    ),
    "verb": (tasks("[task(verb='Do it')]"), "task 'do': verb 'Do it' is not a name"),
    "verb clash": (
        tasks("[task('train')]"),
        "the verb 'train' of its task is already taken by the command line",
    ),
    "own verbs": (tasks("[task('a', verb='do'), task('b', verb='do')]"), "verb 'do' .* taken by itself"),
    "presets": (tasks("[task(presets={'tiny': 3})]"), "task 'do': presets is not a mapping of mappings"),
    "inputs": (
        tasks("[task(inputs=['source'])]"),
        "task 'do': inputs is not a mapping of slots to modalities",
    ),
    "slot": (tasks("[task(inputs={'target': 'text'})]"), "an input slot may not be called 'target'"),
    "flags": (tasks("[task(flags=dict)]"), "task 'do': flags is not a subclass of seqloom.hooks.Options"),
    "formats": (
        tasks("[task(formats={'srt': 'subtitles'})]"),
        "formats is not a mapping of names to FormatS",
    ),
    "format": (
        tasks("[task(formats={'text': FormatSpec(summary='')})]"),
        "a format may not be called 'text'",
    ),
    "flag of a format": (
        tasks("[task(formats={'srt': FormatSpec(summary='', flags={'loud': True})})]"),
        "format 'srt' takes a flag 'loud' that the verb does not have",
    ),
    "baselines": (tasks("[task(baselines='lead')]"), "task 'do': baselines is 'lead', not a list of names"),
    "baseline": (
        tasks("[task(baselines=['lead', 'frequent'])]"),
        "task 'do': a baseline may not be called 'frequent'",
    ),
    "files": (modality("True"), "modality 'image': files is True, not a list of suffixes in small letters"),
    "files of text": (modality("'.png'"), "modality 'image': files is '.png', not a list"),
    "suffixes": (modality("['.png', 'JPG']"), r"modality 'image': files is \['.png', 'JPG'\], not a list"),
    "shared flag": (flags("beam: int = 3"), "flag 'beam' is one that every verb has"),
    "required flag": (flags("loud: bool"), "flag 'loud' has no default"),
    "type of flag": (
        flags("loud: dict[str, str] | None = None"),
        "flag 'loud' is not a bool, int, float or str",
    ),
}


def plugin(catalog: Catalog, name: str) -> Plugin:
    return next(plugin for plugin in catalog.plugins() if plugin.name == name)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_set_aside_and_stops_nobody(kind: str, install: Install) -> None:
    source, reason = BROKEN[kind]
    install("broken", source)
    install("good", encoders("[encoder('fine')]"))
    catalog = Catalog.discover()
    broken = plugin(catalog, "broken")
    assert (broken.state, broken.distribution, broken.version) == ("quarantined", "seqloom-broken", "0.1")
    assert broken.offers == ()
    assert plugin(catalog, "good").state == "ok"
    assert catalog.get("encoder", "fine").summary == "One"
    assert catalog.get("encoder", "rnn")
    quoted = rf"plugin 'broken' \(seqloom-broken 0.1\) was set aside: .*{reason}"
    with pytest.raises(PluginError, match=rf"(?s)no encoder 'lost'; there are: .*{quoted}"):
        catalog.get("encoder", "lost")


def test_the_core_alone() -> None:
    catalog = Catalog()
    assert [plugin.name for plugin in catalog.plugins()] == ["seqloom"]
    assert [spec.name for spec in catalog.specs("decoder")] == ["rnn", "transformer"]
    assert catalog.get("tokenizer", "bpe").options.model_fields["size"].default == 8000
    assert catalog.provider("metric", "bleu").distribution == "seqloom"
    with pytest.raises(PluginError, match=r"no encoder 'transfomer'; .*Did you mean 'transformer'\?"):
        catalog.get("encoder", "transfomer")


def test_every_naming_hook_has_a_kind() -> None:
    observing = {"seqloom_run_started", "seqloom_evaluated", "seqloom_run_ended"}
    assert (
        set(HOOKS) == set(NAMING_HOOKS) | observing == {name for name in vars(HookSpecs) if name[0] != "_"}
    )
    assert len(KINDS) == len(set(KINDS)) == 8


def test_of_two_plugins_with_one_name_for_a_part_the_first_keeps_it(install: Install) -> None:
    install("b", encoders("[encoder(summary='b')]"))
    install("a", encoders("[encoder(summary='a')]"))
    catalog = Catalog.discover()
    assert catalog.get("encoder", "mine").summary == "a"
    assert (
        plugin(catalog, "b").reason == "its encoder 'mine' is already offered by plugin 'a' (seqloom-a 0.1)"
    )


def test_of_two_tasks_with_one_verb_the_first_keeps_it(install: Install) -> None:
    install("a", tasks("[task('first', verb='do')]"))
    install("b", tasks("[task('second', verb='do')]"))
    catalog = Catalog.discover()
    assert catalog.get("task", "first").verb == "do"
    assert "the verb 'do' of its task is already taken by plugin 'a'" in plugin(catalog, "b").reason


def test_of_two_distributions_with_one_plugin_name_the_second_is_set_aside(install: Install) -> None:
    install("imu", encoders("[encoder('one')]"), distribution="seqloom-aaa")
    install("imu", encoders("[encoder('two')]"), distribution="seqloom-bbb")
    catalog = Catalog.discover()
    assert catalog.get("encoder", "one")
    (second,) = [found for found in catalog.set_aside() if found.name == "imu"]
    assert second.distribution == "seqloom-bbb"
    assert "seqloom-aaa 0.1 has an entry point of the same name" in second.reason


def test_a_disabled_plugin_is_not_even_imported(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("imu", "raise AssertionError")
    monkeypatch.setenv("SEQLOOM_DISABLE", " imu, imuu,")
    catalog = Catalog.from_environment()
    assert plugin(catalog, "imu").state == "disabled"
    with pytest.raises(
        PluginError, match=r"plugin 'imu' \(seqloom-imu 0.1\) is disabled: SEQLOOM_DISABLE names it"
    ):
        catalog.get("modality", "imu")
    unknown = plugin(catalog, "imuu")
    assert unknown.state == "disabled"
    assert "not installed. Did you mean 'imu'?" in unknown.reason


def test_what_a_plugin_prints_never_reaches_stdout(
    install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install("loud", "print('hello')\n" + encoders("print('again') or []"))
    loud = plugin(Catalog.discover(), "loud")
    assert loud.state == "ok"
    assert loud.troubles == [
        "plugin 'loud' (seqloom-loud 0.1): importing it prints 'hello'",
        "plugin 'loud' (seqloom-loud 0.1): asking what it offers prints 'again'",
    ]
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "hello\nagain\n"


@pytest.mark.parametrize(
    ("number", "stop"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Interrupted)]
)
def test_a_wish_to_stop_is_no_flaw(
    number: int, stop: type[BaseException], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(number: int, frame: object) -> None:
        raise Interrupted("terminated", number)

    before = signal.signal(signal.SIGTERM, terminate)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        install("slow", f"import os, time\nos.kill(os.getpid(), {int(number)})\ntime.sleep(9)")
        with pytest.raises(stop):
            Catalog.discover()
        assert signal.getsignal(signal.SIGTERM) is terminate
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)


OBSERVER = """
@hookimpl
def seqloom_run_ended(run, error):
    print('ended', run, error)

@hookimpl
def seqloom_evaluated(run, step):
    raise SystemExit('no disk')
"""


def test_observers_are_told_and_their_failures_stop_nothing(
    install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install("a", HEAD + OBSERVER)
    install("b", HEAD + OBSERVER)
    catalog = Catalog.discover()
    catalog.notify("seqloom_run_started", run="r1")
    catalog.notify("seqloom_run_ended", run="r1", error=None)
    catalog.notify("seqloom_evaluated", run="r1", step=3, scores=[])
    out, err = capfd.readouterr()
    assert out == ""
    warned = "hook seqloom_evaluated raised SystemExit: no disk"
    assert err.splitlines() == [
        "ended r1 None",
        "ended r1 None",
        f"warning: plugin 'a' (seqloom-a 0.1): {warned}",
        f"warning: plugin 'b' (seqloom-b 0.1): {warned}",
    ]


def test_load_gives_a_builder_or_names_the_plugin(parts: Path) -> None:
    catalog = Catalog.discover()
    options = catalog.get("tokenizer", "byte").options()
    assert catalog.load("tokenizer", "byte")(options).encode("a")
    pattern = r"plugin 'parts' \(seqloom-parts 0.1\): loading modality 'words' raised ModuleNotFoundError"
    with pytest.raises(PluginError, match=pattern):
        catalog.load("modality", "words")


@pytest.mark.parametrize("error", ["ConfigError('no')", "MemoryError('none left')"])
def test_our_own_errors_and_want_of_memory_pass_through_a_builder(error: str, install: Install) -> None:
    raising = f"def build(options, parts):\n    from seqloom.errors import ConfigError\n    raise {error}\n"
    install("mine", f"{raising}{encoders('[encoder(load=lambda: build)]')}")
    catalog = Catalog.discover()
    with pytest.raises((ConfigError, MemoryError), match=r"^(no|none left)$"):
        catalog.build("encoder", "mine", catalog.get("encoder", "mine").options(), None)


def test_offers_tell_kind_name_and_summary(parts: Path) -> None:
    offers = plugin(Catalog.discover(), "parts").offers
    assert ("task", "echo", "Says it again") in offers
    assert len(offers) == 5
