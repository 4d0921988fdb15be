from __future__ import annotations

import pytest
import torch

from seqloom.errors import ConfigError
from seqloom.nn.convolution import DepthwiseConvolution, margin
from seqloom.testing import random_padded


@pytest.mark.parametrize("kernel", [1, 3, 9])
def test_each_feature_is_filtered_alone_with_zeros_beyond_the_ends(kernel):
    padded = random_padded((6, 2), 3)
    part = DepthwiseConvolution(3, kernel)
    weight, bias = part.filters.weight[:, 0, 0], part.filters.bias
    found = part(padded.values, padded.mask())
    for row, length in enumerate((6, 2)):
        for time in range(length):
            wanted = bias.clone()
            for tap in range(kernel):
                heard = time + tap - kernel // 2
                if 0 <= heard < length:
                    wanted = wanted + weight[:, tap] * padded.values[row, heard]
            torch.testing.assert_close(found[row, time], wanted, rtol=1e-5, atol=1e-5)


def test_a_kernel_needs_a_middle():
    assert [margin(kernel) for kernel in (1, 3, 31)] == [0, 1, 15]
    with pytest.raises(ConfigError, match="4 positions has no middle: choose an odd"):
        margin(4)


def test_filters_are_in_full_precision_whatever_is_around_them():
    """A CPU's filters in bf16 can take minutes."""
    torch.manual_seed(1)
    part = DepthwiseConvolution(4, 3)
    values, mask = torch.randn(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        filtered = part(values, mask)
    assert torch.equal(filtered, part(values, mask))
