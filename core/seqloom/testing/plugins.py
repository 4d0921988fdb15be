"""The contracts of what plugins bring: modalities and tasks."""

from __future__ import annotations

import json
import math
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import chdir
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from torch import Tensor

from seqloom.batch import Hypothesis, Padded
from seqloom.config import DecodeConfig
from seqloom.hooks import NoOptions, Options
from seqloom.modality import Frontend, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom.task import Example, Prediction, Task
from seqloom.testing.entry import assert_light
from seqloom.testing.parts import NetworkContract
from seqloom.testing.samples import assert_row, example, pad_loudly

SEEDS = range(4)  # of augmentation, for those that only happen now and then

ThingT = TypeVar("ThingT")


class PluginContract(ABC):
    """What any plugin must do: say what it offers without importing the code behind it.

    Attributes:
        module: The plugin's entry module.
    """

    module: str

    @abstractmethod
    def build(self) -> Any:
        """A new object of what the plugin offers."""

    def test_the_entry_module_imports_no_torch(self) -> None:
        assert_light(self.module)


class ModalityContract(PluginContract, NetworkContract):
    """What a modality and its front end must do.

    Attributes:
        width: D of what the front end returns.
        length: T of every input, for a modality whose inputs are all of one: a picture is one frame. None
            where they differ.
    """

    width: int = 16
    length: int | None = None

    @abstractmethod
    def build(self) -> Modality: ...

    @abstractmethod
    def raws(self, tmp_path: Path) -> Iterable[str]:
        """Several raw inputs, not all of one length unless all always are: texts, or paths of files.

        Files are written to ``tmp_path``.
        """

    def embedding(self) -> TokenEmbedding | None:
        """A new table [V, D] of the input's tokens, for a modality whose spec takes a tokenizer."""
        return None

    def network(self) -> Frontend:
        return self.build().frontend(self.width, self.embedding())

    def outputs(self, part: Frontend) -> Sequence[Tensor]:
        return (part(self.batch()).values,)

    @cached_property
    def features(self) -> list[Tensor]:
        """What the modality reads from the raw inputs."""
        modality = self.build()
        with TemporaryDirectory() as folder:
            return [modality.read(raw) for raw in self.raws(Path(folder))]

    @cached_property
    def presented(self) -> list[Tensor]:
        """What goes into batches of them where nothing varies."""
        modality = self.build()
        return [modality.present(features, None) for features in self.features]

    def batch(self) -> Padded:
        """All inputs as a front end is given them, with padding that nobody may hear."""
        return pad_loudly(self.presented)

    def test_a_pickled_copy_reads_the_same(self, tmp_path: Path) -> None:
        modality = self.build()
        copy = pickled(modality)
        for raw in self.raws(tmp_path):
            assert torch.equal(copy.read(raw), modality.read(raw))

    def test_reading_again_is_the_same(self, tmp_path: Path) -> None:
        modality = self.build()
        for raw in self.raws(tmp_path):
            assert torch.equal(modality.read(raw), modality.read(raw))

    def test_inputs_fit_into_one_batch(self) -> None:
        lengths = {len(features) for features in self.presented}
        assert min(lengths) >= 1
        if self.length is None:
            assert len(lengths) > 1, "this contract needs inputs of different lengths"
        else:
            assert lengths == {self.length}
        assert len(self.features) > 1, "this contract needs several inputs"
        for inputs in (self.features, self.presented):
            assert len({features.shape[1:] for features in inputs}) == 1
            assert len({features.dtype for features in inputs}) == 1

    def test_measures_are_finite_numbers(self) -> None:
        modality = self.build()
        names = {measure.name for measure in modality.measures}
        assert len(names) == len(modality.measures)
        for measure in modality.measures:
            limits = {measure.least, measure.most} - {None}
            assert bool(limits) == bool(measure.odd), f"{measure.name}: what is odd has a limit and a word"
        for features in self.features:
            before = features.clone()
            found = modality.measure(features)
            assert len(found) == len(names)
            assert all(map(math.isfinite, found))
            assert torch.equal(features, before)

    def variations(self, modality: Modality, features: Tensor) -> list[Tensor]:
        """What goes into batches of an input that varies, one for each of some seeds."""
        return [modality.present(features, torch.Generator().manual_seed(seed)) for seed in SEEDS]

    def test_presenting_an_input_again_is_the_same(self) -> None:
        modality = self.build()
        for features, presented in zip(self.features, self.presented, strict=True):
            before = features.clone()
            assert torch.equal(modality.present(features, None), presented)
            assert torch.equal(features, before)

    def test_an_input_alone_is_all_of_its_group(self) -> None:
        modality = self.build()
        if modality.pools_by is None:
            return
        sums = [modality.sums(features) for features in self.features]
        assert {(one.dtype, one.shape) for one in sums} == {(torch.float64, sums[0].shape)}
        assert sums[0].dim() == 1
        for features, own, presented in zip(self.features, sums, self.presented, strict=True):
            assert own.isfinite().all()
            assert torch.equal(modality.present(features, None, own), presented)

    def test_augmentation_leaves_its_argument(self) -> None:
        modality = self.build()
        for features in self.features:
            before = features.clone()
            self.variations(modality, features)
            assert torch.equal(features, before)

    def test_augmentation_follows_its_generator(self) -> None:
        modality = self.build()
        for features in self.features:
            once, again = self.variations(modality, features), self.variations(modality, features)
            assert all(map(torch.equal, once, again))

    def test_augmented_inputs_fit_into_one_batch(self) -> None:
        modality = self.build()
        varied = [varied for features in self.features for varied in self.variations(modality, features)]
        assert min(map(len, varied)) >= 1
        assert len({features.shape[1:] for features in varied}) == 1
        assert {features.dtype for features in varied} == {features.dtype for features in self.presented}
        output = self.seeded()(pad_loudly(varied))
        assert output.values.shape[::2] == (len(varied), self.width)

    def test_shapes_are_those_announced(self) -> None:
        batch = self.batch()
        output = self.seeded()(batch)
        assert output.values.shape == (len(batch.values), output.values.shape[1], self.width)
        assert output.lengths.shape == batch.lengths.shape
        assert output.lengths.dtype == torch.int64
        assert 1 <= output.lengths.min() <= output.lengths.max() <= output.values.shape[1]

    def test_lengths_follow_from_lengths(self) -> None:
        frontend, batch = self.seeded(), self.batch()
        silence = batch._replace(values=torch.zeros_like(batch.values))
        assert torch.equal(frontend(batch).lengths, frontend(silence).lengths)

    def test_positions_stand_for_as_many_features_as_announced(self) -> None:
        frontend, batch = self.seeded(), self.batch()
        if frontend.stride is not None:
            assert torch.equal(frontend(batch).lengths, -(-batch.lengths // frontend.stride))

    def test_an_example_alone_is_as_in_a_batch(self) -> None:
        frontend, batch = self.seeded(), self.batch()
        together = frontend(batch)
        for row in range(len(batch.values)):
            assert_row(frontend(example(batch, row)), together, row)


class TaskContract(PluginContract):
    """What a task must do.

    Attributes:
        flags: The verb's own flags, as the task's spec says.
        target_tokenizer: Whether the target is tokens, as the task's spec says.
        baselines: Names of the task's own, as the task's spec says.
    """

    flags: type[Options] = NoOptions
    target_tokenizer: bool = True
    baselines: Sequence[str] = ()

    @abstractmethod
    def build(self) -> Task: ...

    @abstractmethod
    def inputs(self, tmp_path: Path) -> dict[str, str]:
        """A raw input for each slot: a text, or the path of a file written to ``tmp_path``."""

    @abstractmethod
    def targets(self) -> Sequence[str]:
        """Some raw targets; normalised, each must be what its hypothesis' text is (of known words, say)."""

    def hypothesis(self, task: Task, raw: str) -> Hypothesis:
        """What a search finds that says this target: its tokens but EOS, where it is tokens."""
        tokens = tuple(task.read_target(raw).tolist()[:-1])
        return Hypothesis(tokens=tokens, score=-1.0, token_scores=(-0.5,) * (len(tokens) + 1))

    def hypotheses(self, task: Task) -> list[Hypothesis]:
        """One that says each target, best first."""
        found = [self.hypothesis(task, raw) for raw in self.targets()]
        return [replace(hypothesis, score=-1.0 - rank) for rank, hypothesis in enumerate(found)]

    def example(self, tmp_path: Path) -> Example:
        """The inputs as a data set has them."""
        return Example(0, self.inputs(tmp_path), None, [])

    def test_a_pickled_copy_reads_and_says_the_same(self) -> None:
        task = self.build()
        copy = pickled(task)
        for raw in self.targets():
            assert torch.equal(copy.read_target(raw), task.read_target(raw))
            hypothesis = self.hypothesis(task, raw)
            assert copy.text(hypothesis) == task.text(hypothesis)

    def test_reading_a_target_again_is_the_same(self) -> None:
        task = self.build()
        for raw in self.targets():
            assert torch.equal(task.read_target(raw), task.read_target(raw))

    def test_a_target_has_positions(self) -> None:
        task = self.build()
        targets = [task.read_target(raw) for raw in self.targets()]
        assert targets, "this contract needs a target"
        for target in targets:
            assert len(target) >= 1
            if self.target_tokenizer:
                assert (target.dtype, target.dim()) == (torch.int64, 1)

    def test_a_target_written_is_the_target(self) -> None:
        task = self.build()
        for raw in self.targets():
            assert task.text(self.hypothesis(task, raw)) == task.normalize(raw)

    def test_what_is_normalized_stays_as_it_is(self) -> None:
        task = self.build()
        for raw in self.targets():
            normalized = task.normalize(raw)
            assert task.normalize(normalized) == normalized
            assert torch.equal(task.read_target(normalized), task.read_target(raw))

    def test_a_normalization_that_changes_a_target_has_a_name(self) -> None:
        task = self.build()
        for raw in self.targets():
            assert task.normalization or task.normalize(raw) == raw

    def test_pieces_are_inputs(self, tmp_path: Path) -> None:
        inputs = self.inputs(tmp_path)
        pieces = self.build().pieces(dict(inputs), self.flags(), {})
        assert pieces
        for piece in pieces:
            assert piece.keys() == inputs.keys()

    def test_one_piece_is_the_whole(self, tmp_path: Path) -> None:
        task = self.build()
        hypotheses = self.hypotheses(task)
        kept = task.interpret(list(hypotheses))
        assert task.join([self.inputs(tmp_path)], [kept], {}) == hypotheses

    def test_pieces_are_joined_best_first(self, tmp_path: Path) -> None:
        task = self.build()
        pieces = task.pieces(self.inputs(tmp_path), self.flags(), {})
        results = [task.interpret(self.hypotheses(task)) for _ in pieces]
        scores = [hypothesis.score for hypothesis in task.join(pieces, results, {})]
        assert scores
        assert scores == sorted(scores, reverse=True)

    def test_records_are_json(self, tmp_path: Path) -> None:
        task, asked = self.build(), self.example(tmp_path)
        for hypothesis in self.hypotheses(task):
            record = json.loads(json.dumps(task.render(hypothesis, asked), allow_nan=False))
            assert record["text"] == task.text(hypothesis)
            assert record["score"] == hypothesis.score

    def test_default_flags_leave_decoding_as_it_is(self) -> None:
        decode = DecodeConfig(beam=3, n_best=2)
        assert self.build().configure(self.flags(), decode) == decode

    def test_default_flags_write_no_files(self, tmp_path: Path) -> None:
        task = self.build()
        prediction = Prediction(self.example(tmp_path), self.hypotheses(task))
        before = sorted(tmp_path.rglob("*"))
        with chdir(tmp_path):
            assert task.deliver([prediction], self.flags(), {}) == []
        assert sorted(tmp_path.rglob("*")) == before

    def test_a_session_goes_on_and_begins_anew(self, tmp_path: Path) -> None:
        task, inputs = self.build(), self.inputs(tmp_path)
        if (session := task.session()) is None:
            return
        (line,) = inputs.values()
        first = session.ask(line)
        assert first.keys() == inputs.keys()
        assert session.ask(line) == first, "to be asked alone changes nothing"
        session.hear(Prediction(Example(0, first, None, []), self.hypotheses(task)))
        second = session.ask(line)
        assert second.keys() == inputs.keys()
        other = task.session()
        assert other is not None
        assert other.ask(line) == first, "a session begins with nothing said"
        session.reset()
        assert session.ask(line) == first

    def test_baselines_answer(self, tmp_path: Path) -> None:
        task, asked = self.build(), self.example(tmp_path)
        for name in self.baselines:
            baseline, other = task.baseline(name), task.baseline(name)
            assert baseline is not other, "a baseline begins with nothing learned"
            for raw in self.targets():
                baseline.learn(asked._replace(target=raw, references=[raw]))
            answer = baseline.answer(asked)
            assert isinstance(answer, str)
            assert baseline.answer(asked) == answer


def pickled(thing: ThingT) -> ThingT:
    """A copy as a data worker gets it."""
    return pickle.loads(pickle.dumps(thing))  # type: ignore[no-any-return]  # noqa: S301 - our own
