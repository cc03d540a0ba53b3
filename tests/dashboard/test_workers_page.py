"""The playground of asynchronous workers: every method with settings of the reader's."""

from collections.abc import Callable
from typing import Any

from cooldown.objectives import asynchronous

Open = Callable[..., Any]


def test_every_method_can_be_played_with(open_app: Open, url: str) -> None:
    app = open_app(url, "workers")
    for name in asynchronous.names():
        app.selectbox[0].select(name).run()
        app.number_input(key=f"workers {name}.workers").set_value(3).run()
        app.number_input(key=f"workers {name}.delay").set_value(0.5).run()
        assert not app.exception
        assert not app.error
        method = asynchronous.get(name)
        events = method.plan(method.complete({"workers": 3, "delay": 0.5}), updates=40, seed=0)
        said = " ".join(each.value for each in app.caption).replace("\\", "")
        assert f"Mean staleness: {events.staleness.mean():.3g} updates." in said
