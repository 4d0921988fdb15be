"""What sees pictures: nothing of a padding, nothing of another picture, everything where it is."""

from __future__ import annotations

import pytest
import torch

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom_vision.frontends.cnn import ResidualNetwork
from seqloom_vision.frontends.grid import GridFrontend, grid_positions
from seqloom_vision.frontends.lines import Lines
from seqloom_vision.frontends.patches import Patches
from seqloom_vision.frontends.stages import GroupNorm, Stage


def pictures(count: int, side: int) -> Padded:
    generator = torch.Generator().manual_seed(count)
    values = torch.randint(256, (count, 1, 3, side, side), dtype=torch.uint8, generator=generator)
    return Padded(values, torch.ones(count, dtype=torch.int64))


def lines(*lengths: int, height: int = 16) -> Padded:
    """Noise, on padding too."""
    generator = torch.Generator().manual_seed(1)
    values = torch.randint(
        256, (len(lengths), max(lengths), height), dtype=torch.uint8, generator=generator
    )
    return Padded(values, torch.tensor(lengths))


# Whole pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "stages", "grid"), [(32, 2, 8), (33, 3, 5), (1, 2, 1)])
def test_each_stage_halves_the_grid(side: int, stages: int, grid: int) -> None:
    frontend = GridFrontend(ResidualNetwork(side, [8] * stages, 1), 16)
    found = frontend(pictures(2, side))
    assert found.values.shape == (2, grid * grid, 16)
    assert found.lengths.tolist() == [grid * grid] * 2


def test_a_picture_is_the_same_beside_others_in_training_too() -> None:
    frontend = GridFrontend(ResidualNetwork(32, [8, 16], 2), 16).train()
    batch = pictures(3, 32)
    alone = frontend(Padded(batch.values[1:2], batch.lengths[1:2]))
    torch.testing.assert_close(alone.values[0], frontend(batch).values[1], rtol=1e-5, atol=1e-5)


def test_positions_tell_where_the_same_is() -> None:
    frontend = GridFrontend(Patches(32, 8, 16), 16)
    even = Padded(torch.full((1, 1, 3, 32, 32), 90, dtype=torch.uint8), torch.tensor([1]))
    positions = frontend(even).values[0]
    distances = torch.cdist(positions, positions) + 9 * torch.eye(16)
    assert distances.min() > 0.3


def test_rows_and_columns_have_a_half_of_the_width_each() -> None:
    grid = grid_positions(3, 5, 8).view(3, 5, 8)
    assert torch.equal(grid[1, :, :4], grid[1, :1, :4].expand(5, -1))
    assert torch.equal(grid[:, 2, 4:], grid[:1, 2, 4:].expand(3, -1))
    assert torch.equal(grid[2, 2, :4], grid[2, 2, 4:])
    assert grid_positions(2, 2, 7).shape == (4, 7)


def test_the_middle_of_a_larger_picture_is_looked_at() -> None:
    frontend = GridFrontend(ResidualNetwork(24, [8], 1), 16)
    larger = pictures(2, 30)
    middle = larger._replace(values=larger.values[..., 3:27, 3:27])
    assert torch.equal(frontend(larger).values, frontend(middle).values)


def test_pixels_are_centred() -> None:
    frontend = GridFrontend(Patches(4, 4, 8), 8)
    scaled = frontend.normalized(torch.tensor([0, 255], dtype=torch.uint8).repeat(24).view(1, 3, 4, 4))
    assert scaled.unique().tolist() == [-2, 2]
    assert scaled.is_contiguous(memory_format=torch.channels_last)


def test_patches_must_fill_the_picture() -> None:
    with pytest.raises(ConfigError, match="patches of 16 pixels do not fill a picture of 100"):
        Patches(100, 16, 8)


# Text lines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subsampling", [1, 2, 4, 8])
@pytest.mark.parametrize("height", [16, 13])
def test_a_line_is_the_same_alone_and_beside_longer_ones(subsampling: int, height: int) -> None:
    torch.manual_seed(1)
    frontend = Lines(16, height, [8, 16, 16], blocks=2, subsampling=subsampling).double().train()
    batch = lines(*range(1, 40), 90, height=height)
    together = frontend(batch)
    for row, length in enumerate(batch.lengths.tolist()):
        alone = frontend(Padded(batch.values[row : row + 1, :length], batch.lengths[row : row + 1]))
        size = -(-length // subsampling)
        assert alone.lengths.tolist() == [together.lengths[row]] == [size]
        assert alone.values.shape == (1, size, 16)
        torch.testing.assert_close(alone.values[0], together.values[row, :size], rtol=1e-9, atol=1e-9)


def test_gradients_of_a_line_are_the_same_alone_and_beside_longer_ones() -> None:
    torch.manual_seed(1)
    frontend = Lines(16, 16, [8, 16], blocks=1, subsampling=4).double()
    batch = lines(21, 64)

    def gradients(features: Padded) -> list[torch.Tensor]:
        frontend.zero_grad()
        frontend(features).values[0, :6].sum().backward()
        return [parameter.grad.clone() for parameter in frontend.parameters() if parameter.grad is not None]

    alone = gradients(Padded(batch.values[:1, :21], batch.lengths[:1]))
    torch.testing.assert_close(gradients(batch), alone)


def test_what_is_left_of_subsampling_is_width() -> None:
    with pytest.raises(ConfigError, match="1 stages cannot make one column of 4"):
        Lines(16, 16, [8], subsampling=4)


def test_a_line_that_moves_moves_its_positions() -> None:
    torch.manual_seed(1)
    frontend = Lines(16, 16, [8, 16], subsampling=4)
    line = torch.zeros(1, 80, 16, dtype=torch.uint8)
    line[:, 24:32] = lines(8).values
    moved = line.roll(8, 1)
    length = torch.tensor([80])
    one, other = (frontend(Padded(values, length)).values for values in (line, moved))
    torch.testing.assert_close(one[:, 2:14], other[:, 4:16], rtol=1e-4, atol=1e-5)


# Stages -------------------------------------------------------------------------------------------------


def test_the_norm_of_whole_pictures_is_torchs() -> None:
    norm, theirs = GroupNorm(16, 8), torch.nn.GroupNorm(2, 16)
    for parameter, other in zip(norm.parameters(), theirs.parameters(), strict=True):
        torch.nn.init.normal_(parameter)
        other.data.copy_(parameter.data)
    x = torch.randn(3, 16, 5, 7) + 2
    wanted = theirs(x)
    torch.testing.assert_close(norm(x), wanted)
    torch.testing.assert_close(norm(x, torch.tensor([5, 5, 5])), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("group", [1, 8])
def test_the_norm_of_a_padded_picture_is_that_of_its_rows(group: int) -> None:
    norm = GroupNorm(16, group)
    x = torch.randn(2, 16, 6, 7) + 2
    x[1, :, 4:] = 1000  # nobody may hear it
    found = norm(x, torch.tensor([6, 4]))
    torch.testing.assert_close(found[1, :, :4], norm(x[1:, :, :4])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_a_stage_rounds_its_grid_up(stride: tuple[int, int]) -> None:
    stage = Stage(8, 16, stride, blocks=1, group=8)
    found, lengths = stage(torch.randn(2, 8, 7, 9))
    assert found.shape == (2, 16, -(-7 // stride[0]), -(-9 // stride[1]))
    assert (found >= 0).all()
    assert lengths is None


def test_a_stage_leaves_nothing_beside_a_picture() -> None:
    found, lengths = Stage(8, 16, (2, 1), blocks=1, group=8)(torch.randn(2, 8, 8, 5), torch.tensor([8, 4]))
    assert lengths.tolist() == [4, 2]
    assert found[0, :, 2:].any()
    assert not found[1, :, 2:].any()
