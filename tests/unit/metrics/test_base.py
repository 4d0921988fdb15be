from __future__ import annotations

import math

import pytest

from seqloom.metrics import accuracy, perplexity


def test_perplexity_and_accuracy():
    assert perplexity(4 * math.log(7), 4) == pytest.approx(7)
    assert perplexity(1e9, 1) == math.inf
    assert accuracy(3, 4) == 75
