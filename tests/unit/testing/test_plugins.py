"""A whole modality keeps its contract; each broken one below fails at least the test named."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqloom.batch import Padded
from seqloom.modality import Frontend, Measure, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom.testing import ModalityContract
from seqloom.tokenizer import ByteTokenizer

# Modalities: each broken one differs from this in one way ----------------------------------------------


class Linear(Frontend):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(2, width)

    def forward(self, features):
        return Padded(self.layer(features.values), features.lengths)


class Numbers(Modality):
    """A text of numbers, each beside its square."""

    layers = Linear

    def read(self, raw):
        numbers = torch.tensor([float(word) for word in raw.split()])
        return torch.stack([numbers, numbers.square()], dim=1)

    def augment(self, features, generator):
        return features + torch.randn(features.shape, generator=generator)

    def frontend(self, width, embedding):
        return self.layers(width)


class NumbersContract(ModalityContract):
    module = "json"
    width = 8

    def raws(self, tmp_path):
        yield from ("0.5 1 -1.5", "2", "0.1 0.7 -0.2 -1.1 0.4")


class HoldsFunction(Numbers):
    def __init__(self):
        self.function = lambda raw: raw


class CopiesAreAnother(Numbers):
    def __reduce__(self):
        return Numbers, ()

    def read(self, raw):
        return 2 * super().read(raw)


class ReadsAtRandom(Numbers):
    def read(self, raw):
        return torch.rand(2) * super().read(raw)


class ReadsNothing(Numbers):
    def read(self, raw):
        return super().read(raw)[1:]


class ReadsOneLength(Numbers):
    def read(self, raw):
        return super().read(raw)[:1]


class ReadsAnySize(Numbers):
    def read(self, raw):
        features = super().read(raw)
        return features.repeat(1, len(features))


class ReadsAnyType(Numbers):
    def read(self, raw):
        features = super().read(raw)
        return features.double() if len(features) == 1 else features


class ChangesItsArgument(Numbers):
    def augment(self, features, generator):
        return features.mul_(2)


class AugmentsAtRandom(Numbers):
    def augment(self, features, generator):
        return features + torch.randn(features.shape)


class AugmentsToDoubles(Numbers):
    def augment(self, features, generator):
        return features.double()


class AugmentsSize(Numbers):
    def augment(self, features, generator):
        return features[:, :1]


class AugmentsAway(Numbers):
    def augment(self, features, generator):
        return features[int(torch.rand(1, generator=generator) > 0.5) :]


class PresentsAtRandom(Numbers):
    def present(self, features, generator):
        return torch.rand(1) * features


class PresentsInPlace(Numbers):
    def present(self, features, generator):
        return features.mul_(2)


class PresentsSquares(Numbers):
    def present(self, features, generator):
        return super().present(features, generator)[:, 1:].repeat(1, 2)


class Measures(Numbers):
    measures = (Measure(name="most", most=3.0, odd="large"), Measure(name="sum", adds_up=True))

    def measure(self, features):
        return features.max().item(), features[:, 0].sum().item()


class MeasuresLess(Measures):
    def measure(self, features):
        return super().measure(features)[:1]


class MeasuresNothing(Measures):
    def measure(self, features):
        return math.inf, 0.0


class MeasuresInPlace(Measures):
    def measure(self, features):
        return super().measure(features.sub_(1))


class MeasuresTwice(Measures):
    measures = (Measure(name="most"), Measure(name="most"))


class MeasuresWithoutWords(Measures):
    measures = (Measure(name="most", most=3.0), Measure(name="sum"))


class FirstTwo(Linear):
    def forward(self, features):
        return super().forward(features._replace(values=features.values[..., :2]))


class VariesWider(Numbers):
    layers = FirstTwo

    def augment(self, features, generator):
        return features.repeat(1, 2)


class VariesToAnySize(VariesWider):
    def augment(self, features, generator):
        return features.repeat(1, int(torch.randint(1, 4, (), generator=generator)))


class Narrow(Numbers):
    def frontend(self, width, embedding):
        return Linear(width - 1)


class HearsPadding(Linear):
    def forward(self, features):
        mean = features.values.mean(1, keepdim=True)
        return super().forward(features._replace(values=features.values - mean))


class ShortLengths(Linear):
    def forward(self, features):
        return super().forward(features._replace(lengths=features.lengths.int()))


class NoLengths(Linear):
    def forward(self, features):
        return super().forward(features._replace(lengths=features.lengths - 1))


class LengthsFromNumbers(Linear):
    def forward(self, features):
        return super().forward(features._replace(lengths=(features.values[..., 1] > 0.2).sum(1)))


class SaysAnotherStride(Linear):
    stride = 2


class Scattered(Linear):
    stride = None  # and so may be anything


class Scatters(Numbers):
    layers = Scattered


class Idle(Linear):
    def __init__(self, width):
        super().__init__(width)
        self.unused = nn.Parameter(torch.zeros(1))


class Forgets(Linear):
    def forward(self, features):
        self.scale = getattr(self, "scale", torch.rand(1))
        values, lengths = super().forward(features)
        return Padded(self.scale * values, lengths)


def with_layers(kind: type[Frontend]) -> type[Modality]:
    return type(kind.__name__, (Numbers,), {"layers": kind})


@pytest.mark.parametrize(
    ("modality", "wanted"),
    [
        (HoldsFunction, "a_pickled_copy_reads_the_same"),
        (CopiesAreAnother, "a_pickled_copy_reads_the_same"),
        (ReadsAtRandom, "reading_again_is_the_same"),
        (ReadsNothing, "inputs_fit_into_one_batch"),
        (ReadsOneLength, "inputs_fit_into_one_batch"),
        (ReadsAnySize, "inputs_fit_into_one_batch"),
        (ReadsAnyType, "inputs_fit_into_one_batch"),
        (PresentsAtRandom, "presenting_an_input_again_is_the_same"),
        (PresentsInPlace, "presenting_an_input_again_is_the_same"),
        (ChangesItsArgument, "augmentation_leaves_its_argument"),
        (AugmentsAtRandom, "augmentation_follows_its_generator"),
        (AugmentsToDoubles, "augmented_inputs_fit_into_one_batch"),
        (AugmentsSize, "augmented_inputs_fit_into_one_batch"),
        (AugmentsAway, "augmented_inputs_fit_into_one_batch"),
        (MeasuresLess, "measures_are_finite_numbers"),
        (MeasuresNothing, "measures_are_finite_numbers"),
        (MeasuresInPlace, "measures_are_finite_numbers"),
        (MeasuresTwice, "measures_are_finite_numbers"),
        (MeasuresWithoutWords, "measures_are_finite_numbers"),
        (Narrow, "shapes_are_those_announced"),
        (with_layers(ShortLengths), "shapes_are_those_announced"),
        (with_layers(NoLengths), "shapes_are_those_announced"),
        (with_layers(LengthsFromNumbers), "lengths_follow_from_lengths"),
        (with_layers(HearsPadding), "an_example_alone_is_as_in_a_batch"),
        (with_layers(SaysAnotherStride), "positions_stand_for_as_many_features_as_announced"),
        (with_layers(Idle), "gradients_reach_every_parameter"),
        (with_layers(Forgets), "what_is_loaded_is_what_was_saved"),
    ],
)
def test_a_broken_modality_is_refused(modality, wanted, failures):
    assert wanted in failures(NumbersContract, build=lambda self: modality())


def test_inputs_may_all_be_of_one_length(failures):
    assert failures(NumbersContract, build=lambda self: ReadsOneLength(), length=1) == set()
    wanted = {"inputs_fit_into_one_batch"}
    assert failures(NumbersContract, build=lambda self: ReadsOneLength(), length=2) == wanted
    assert failures(NumbersContract, build=lambda self: Numbers(), length=1) == wanted


def test_variations_may_all_be_of_another_size(failures):
    assert failures(NumbersContract, build=lambda self: VariesWider()) == set()
    wanted = {"augmented_inputs_fit_into_one_batch"}
    assert failures(NumbersContract, build=lambda self: VariesToAnySize()) == wanted


@pytest.mark.parametrize("modality", [Numbers, PresentsSquares, Scatters, Measures])
def test_a_whole_modality_passes(modality, failures):
    assert failures(NumbersContract, build=lambda self: modality()) == set()


# Tokens as inputs --------------------------------------------------------------------------------------


class Lookup(Frontend):
    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding

    def forward(self, features):
        return Padded(self.embedding(features.values), features.lengths)


class HearsPads(Lookup):
    def forward(self, features):
        values, lengths = super().forward(features)
        return Padded(values - values.mean(1, keepdim=True), lengths)


class CountsPads(Lookup):
    def forward(self, features):
        return super().forward(features._replace(lengths=(features.values != 0).sum(1).clamp(min=1)))


class Letters(Modality):
    def __init__(self, layers):
        self.layers = layers

    def read(self, raw):
        return torch.tensor(ByteTokenizer().encode(raw))

    def augment(self, features, generator):
        return features

    def frontend(self, width, embedding):
        return self.layers(embedding)


class LettersContract(ModalityContract):
    module = "json"

    def raws(self, tmp_path):
        return ["a longer one", "b"]

    def embedding(self):
        return TokenEmbedding(ByteTokenizer().vocabulary.size, self.width, pad_id=0)


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        (Lookup, set()),
        (HearsPads, {"an_example_alone_is_as_in_a_batch"}),
        (
            CountsPads,
            {
                "an_example_alone_is_as_in_a_batch",
                "lengths_follow_from_lengths",
                "positions_stand_for_as_many_features_as_announced",
            },
        ),
    ],
)
def test_padding_is_heard_in_tokens_too(layers, wanted, failures):
    assert failures(LettersContract, build=lambda self: Letters(layers)) == wanted


# Entry modules -----------------------------------------------------------------------------------------


def test_a_heavy_entry_module_is_refused(failures, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "torch.py").touch()  # importing the real one takes seconds
    (tmp_path / "seqloom_heavy.py").write_text("import torch\n")
    for module in ("seqloom_heavy", "seqloom_missing"):
        wanted = {"the_entry_module_imports_no_torch"}
        assert wanted == failures(NumbersContract, build=lambda self: Numbers(), module=module)
