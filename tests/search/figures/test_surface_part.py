"""A surface as a part of a page."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from covering import covering, in_short

from cooldown.objectives import surfaces
from cooldown.search.figures.surface import goal, surface_figure, surface_part

LOOKS = [
    (name, within, dark) for name in ("saddle", "beale") for within in ("beside", "below") for dark in (True, False)
]


@pytest.mark.parametrize(("name", "within", "dark"), in_short(LOOKS, covering(LOOKS)))
def test_a_surface_on_a_page_has_the_paths_of_the_whole_figure_in_the_pages_colours(
    name: str, within: Any, dark: bool
) -> None:
    surface, paths = surfaces.get(name), surfaces.trajectories(name, ["sgd", "adam"], 20)
    part, alone = surface_part(surface, paths, within, dark=dark), surface_figure(surface, paths)
    layout = part.layout
    assert layout.title.text is None
    assert layout.paper_bgcolor is layout.plot_bgcolor is layout.font.color is None
    assert layout.template.layout.to_plotly_json() == go.Figure().layout.template.layout.to_plotly_json()
    assert not [trace for trace in part.data if trace.marker.showscale]
    assert {trace.legend for trace in part.data if trace.showlegend is not False} == {"legend"}
    beside = layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert beside == (within == "beside")
    assert beside or layout.yaxis.domain[0] > layout.yaxis2.domain[1]
    assert [frame.name for frame in part.frames] == [frame.name for frame in alone.frames]
    for frame, other in zip(part.frames, alone.frames, strict=True):
        for place, moved, same in zip(frame.traces, frame.data, other.data, strict=True):
            np.testing.assert_array_equal(moved.x, same.x)
            assert part.data[place].legendgroup == alone.data[place + 1].legendgroup
    ink = {trace.marker.color for trace in part.data if trace.name in ("start", "minimum")}
    assert ink == {"white" if dark else "black"}
    assert goal(surface)
