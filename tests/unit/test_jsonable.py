from __future__ import annotations

import math
from datetime import UTC, datetime

from seqloom.jsonable import jsonable
from seqloom.registry.records import Score

NOON = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)


def test_record_becomes_plain_data() -> None:
    score = Score(metric="ppl", value=math.inf, split="valid", step=3, signature="")

    assert jsonable({1: (score, NOON, math.nan, 0.5, None)}) == {
        "1": [
            {"metric": "ppl", "value": None, "split": "valid", "step": 3, "signature": "", "parts": {}},
            "2026-11-21T12:00:05+00:00",
            None,
            0.5,
            None,
        ]
    }
