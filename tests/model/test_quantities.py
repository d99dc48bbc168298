"""Numbers as people read them."""

from __future__ import annotations

import pytest

from dbguard.model.quantities import count, duration, number, size, times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-1, "0 s"),
        (1e-9, "under 0.1 ms"),
        (0.0004, "0.4 ms"),
        (0.012, "12 ms"),
        (0.9996, "1 s"),
        (3.2, "3.2 s"),
        (9.96, "10 s"),
        (38, "38 s"),
        (99.6, "1 min 40 s"),
        (250, "4 min 10 s"),
        (3_599.6, "1 h"),
        (7_500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (float("inf"), "?"),
        (float("nan"), "?"),
    ],
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1_023, "1,023 bytes"), (1_024, "1 kB"), (8_192, "8 kB"), (9_771_050_598, "9.1 GB"), (float("inf"), "?")]
)
def test_sizes(count: float, text: str):
    assert size(count) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (8.44, "8.44"), (921, "921"), (48_211.4, "48,211"), (1e20, "1.00e+20"), (float("nan"), "?")])
def test_costs(value: float, text: str):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (17, "17"), (9_990, "9,990"), (17_040, "17,000"), (1_204_000, "1.2 million"), (1e9, "1 billion")]
)
def test_counts_are_rounded_to_what_they_mean(value: float, text: str):
    assert count(value) == text


@pytest.mark.parametrize(
    ("before", "after", "text"), [(8.44, 48_210, "5,712 times"), (100, 20, "5 times less"), (10, 9.9, ""), (0, 3, ""), (float("inf"), 3, "")]
)
def test_how_many_times(before: float, after: float, text: str):
    assert times(before, after) == text
