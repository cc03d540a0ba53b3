"""Pictures of asynchronous workers: every event is in them, where it was planned."""

from typing import Any

import numpy as np
import pytest

from cooldown.objectives import asynchronous
from cooldown.search.figures import asynchronous as figures


def planned(name: str, updates: int, **settings: Any) -> asynchronous.Events:
    method = asynchronous.get(name)
    return method.plan(method.complete(settings), updates, seed=0)


@pytest.mark.parametrize(
    ("name", "settings", "reads", "writes"),
    [
        ("hogwild", {"delay": 0.5}, [0, 1, 2, 3], [1.5, 2.5, 3.5, 4.5]),
        # Two gradients, half a unit to the server and as much back.
        ("downpour", {"delay": 0.5, "push_every": 2}, [0, None, 3, None], [None, 2.5, None, 5.5]),
        ("downpour", {"push_every": 2, "fetch_every": 3}, [0, None, None, 3], [None, 2, None, 4]),
        ("easgd", {"exchange_every": 3}, [1, None, None, 4], [1, None, None, 4]),
    ],
)
def test_when_a_worker_reads_and_writes(name: str, settings: Any, reads: list[Any], writes: list[Any]) -> None:
    found = figures.reads_and_writes(name, planned(name, 4, workers=1, **settings))
    for own, expected in zip(found, (reads, writes), strict=True):
        assert [None if np.isnan(time) else time for time in own] == expected


def test_every_gradient_is_a_bar_in_its_workers_row() -> None:
    both = {
        "hogwild": planned("hogwild", 12, workers=3, compute="exponential"),
        "eamsgd": planned("eamsgd", 8, workers=2, delay=1.0, exchange_every=2),
    }
    figure = figures.timelines(both)
    assert list(figure.layout.yaxis.ticktext) == ["hogwild 1", "hogwild 2", "hogwild 3", "eamsgd 1", "eamsgd 2"]
    bars, ways, reads, writes = figure.data
    begun = np.concatenate([events.begun for events in both.values()])
    row = np.concatenate([both["hogwild"].worker, 3 + both["eamsgd"].worker])
    np.testing.assert_array_equal(bars.x[::3], begun)
    np.testing.assert_array_equal(bars.y[::3], row)
    np.testing.assert_array_equal(ways.x[1::3], np.concatenate([events.time for events in both.values()]))
    for points, number in ((reads, 12 + 4), (writes, 12 + 4)):
        assert np.isfinite(np.array(points.x, np.float64)).sum() == number
        np.testing.assert_array_equal(points.y, row)
    table = figures.timelines_table(both).frame()
    assert table["Worker"].tolist() == [*(both["hogwild"].worker + 1), *(both["eamsgd"].worker + 1)]
    assert table["Staleness"].tolist() == [*both["hogwild"].staleness, *both["eamsgd"].staleness]


def test_a_line_for_each_number_of_workers() -> None:
    timed = {workers: figures.Timed(np.arange(1.0, 4.0) / workers, np.array([3.0, 2.0, 1.0])) for workers in (1, 4)}
    one, four = figures.losses(timed).data
    assert (one.name, four.name) == ("1 worker", "4 workers")
    assert list(four.x) == [0.25, 0.5, 0.75]
    assert list(four.y) == [3, 2, 1]
