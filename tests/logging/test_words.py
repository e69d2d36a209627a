"""Numbers as people read them."""

from __future__ import annotations

import pytest

from grokkeras.logging.console import time_left
from grokkeras.logging.words import duration, loss, percent, speed


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "100.0 %"),
        (0.99996, "99.9 %"),
        (0.00001, "0.1 %"),
        (0.0, "0.0 %"),
        (1, "100.0 %"),
        (None, "-"),
        (float("nan"), "-"),
        ("0.5", "-"),
    ],
)
def test_percent(value: object, shown: str) -> None:
    assert percent(value) == shown


def test_other_numbers() -> None:
    assert [loss(v) for v in (0, 2.5e-7, 0.0123, 4.567, 12345.0, float("inf"), None)] == [
        *("0", "2.50e-07", "0.0123", "4.57", "1.23e+04", "-", "-")
    ]
    assert [duration(s) for s in (0, 9.94, 65, 119.4, 600, 12_000, 200_000)] == [
        *("0.0 s", "9.9 s", "65 s", "119 s", "10 min", "3 h 20 min", "2 days 7 h")
    ]
    assert [speed(v) for v in (1510.4, 0.25, None)] == [
        *("1,510 steps/s", "0.25 steps/s", "measuring speed")
    ]
    assert time_left(5, 10, None) is None
    assert time_left(5, 10, 0.0) is None
    assert time_left(20, 10, 1.0) == "0.0 s"
