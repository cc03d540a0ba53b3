"""`cooldown parallel`: what it measures and stores, on threads, processes and a Dask cluster; and mistakes."""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE
from search_runs import wait_until
from sklearn.datasets import dump_svmlight_file, load_iris

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent
from cooldown.objectives.parallel.hogwild import hogwild
from cooldown.objectives.parallel.worker import Exchange
from cooldown.search.executors.contract import WorkerLostError
from cooldown.search.parallel.cluster import connected, on_cluster
from cooldown.search.parallel.data import rows_of

Answer = tuple[int, str, str]
QUICK = ("--passes", "2", "--rounds", "2")


@pytest.fixture
def run_here(run_here: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Answer]:
    """The `cooldown` command in this process and an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    return run_here


def test_threads_are_measured_and_the_measurement_is_stored(run_here: Any, tmp_path: Path) -> None:
    code, out, err = run_here("parallel", "hogwild", "sparse_text", "--threads", "1,2", *QUICK, "-o", "m.json")
    assert (code, err) == (0, "Wrote m.json.\n")
    document = json.loads((tmp_path / "m.json").read_text())
    data, serial = document["data"], document["serial"]
    assert {key: data[key] for key in ("name", "rows", "features", "classes")} == {
        "name": "sparse_text", "rows": 1200, "features": 400, "classes": 4,
    }  # fmt: skip
    assert out.startswith("sparse_text: 1,200 rows of 400 features in 4 classes, 7.22% filled; ρ 1, Δ 0.997\n")
    _, rows = rows_of("sparse_text", None)
    descent = Descent(document["settings"]["rate"], passes=2)
    assert serial["loss"] == pytest.approx(rows.loss(hogwild(rows, descent, 1).theta), rel=1e-12)
    runs = [(run["system"], run["workers"]) for run in document["runs"]]
    assert runs == [(system, number) for system in ("hogwild", "lock", "round robin") for number in (1, 2)]
    for run in document["runs"]:
        assert run["gradients_per_second"] == pytest.approx(2 * 1200 / run["seconds"])
        assert run["speed_up"] == pytest.approx(serial["seconds"] / run["seconds"])
        assert run["loss_ratio"] == pytest.approx(run["loss"] / serial["loss"])
        assert run["loss_ratio"] == pytest.approx(1, rel=0.1 if run["workers"] == 2 else 1e-12)
        assert f"{run['loss']:.4f}" in out


def test_a_file_in_svmlights_format(run_here: Any, tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)
    dump_svmlight_file(X, y, str(tmp_path / "iris.svm"))
    code, out, _ = run_here("parallel", "hogwild", "--svmlight", "iris.svm", "--threads", "1", *QUICK, "--json")
    assert code == 0
    data = json.loads(out)["data"]
    assert (data["name"], data["rows"], data["features"], data["delta"]) == ("iris.svm", 150, 4, 1.0)


def test_a_run_that_diverges_has_no_loss(run_here: Any) -> None:
    code, out, _ = run_here("parallel", "hogwild", "iris", "--threads", "1", *QUICK, "--rate", "1e308", "--json")
    assert code == 0
    assert {run["loss"] for run in json.loads(out)["runs"]} == {None}
    code, out, _ = run_here("parallel", "hogwild", "iris", "--threads", "1", *QUICK, "--rate", "1e308")
    assert (code, out.count("–")) == (0, 8)


@pytest.mark.filterwarnings("always::cooldown.objectives.errors.CooldownWarning")
def test_a_force_that_is_never_stable_is_told(run_here: Any) -> None:
    code, _, said = run_here("parallel", "easgd", "none", "--processes", "2,4", "--elasticity", "3")
    assert (code, "unknown task 'none'" in said) == (2, True)
    assert "Note: easgd(elasticity=3): divided by 2 workers it is more than 1" in said


@pytest.mark.processes
def test_processes_share_a_parameter_server(run_here: Any) -> None:
    given = ("parallel", "easgd", "iris", "--processes", "2", *QUICK, "--every", "4", "--elasticity", "0.5", "--json")
    code, out, err = run_here(*given)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert [(run["system"], run["workers"]) for run in document["runs"]] == [("easgd", 2)]
    assert {"rule": "easgd", "every": 4, "elasticity": 0.5, "executor": "local"}.items() <= document["settings"].items()
    assert all(run["loss"] < np.log(3) for run in document["runs"])


@pytest.mark.processes
def test_actors_of_a_dask_cluster_are_parameter_servers() -> None:
    _, rows = rows_of("iris", None)
    descent, exchange = Descent(rows.usual_rate, passes=2), Exchange("downpour", 8)
    with connected(None, 2) as connection:
        trained = on_cluster(rows, exchange, descent, connection, 2)
        assert rows.loss(trained.theta) < np.log(3)
        address = connection.address
        with pytest.raises(InputError, match="has 2 workers, not 3"), connected(address, 3):
            pass
        # A worker that dies ends the measurement: its task would wait for it for ever.
        [*_, victim] = connection.client.run(os.getpid).values()
        long = Descent(rows.usual_rate, passes=100_000)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(on_cluster, rows, exchange, long, connection, 2)
            wait_until(lambda: all(connection.client.processing().values()), "both work")
            os.kill(victim, signal.SIGKILL)
            with pytest.raises(WorkerLostError, match="died"):
                running.result(PATIENCE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("hogwld", "digits"), "unknown parallel system 'hogwld'; did you mean 'hogwild'?"),
        (("hogwild",), "give a TASK or --svmlight FILE, and not both"),
        (("hogwild", "digits", "--svmlight", "x"), "give a TASK or --svmlight FILE, and not both"),
        (("hogwild", "diabetes"), "a task with numbers and classes is needed, such as sparse_text, digits"),
        (("hogwild", "digitz"), "unknown task 'digitz'"),
        (("hogwild", "digits", "--threads", "0"), "each number should be from 1 to 256"),
        (("hogwild", "digits", "--threads", "1;2"), "should be whole numbers with commas, as in 1,2,4"),
        (("hogwild", "digits", "--rate", "-1"), "must be more than 0, and finite"),
        (("hogwild", "digits", "--rate", "fast"), "'fast' is not a number"),
        (("hogwild", "digits", "--processes", "2"), "--processes is for downpour and easgd"),
        (("downpour", "digits", "--threads", "2"), "--threads is for hogwild"),
        (("downpour", "digits", "--elasticity", "2"), "--elasticity is for easgd"),
        (("easgd", "digits", "--executor", "inline"), "executor 'inline'"),
        (("easgd", "digits", "--executor", "tcp://x"), "should be an address such as tcp://192.0.2.7:8786"),
        (("hogwild", "--svmlight", "missing.svm"), "--svmlight 'missing.svm': No such file or directory"),
        (("hogwild", "--svmlight", "bad.svm"), "--svmlight 'bad.svm': not a file in svmlight's format"),
        (("hogwild", "digits", "-o", "no/m.json"), "the folder 'no' does not exist"),
    ],
)
def test_mistakes(given: tuple[str, ...], message: str, run_here: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.svm").write_text("1 one:two\n")
    code, out, err = run_here("parallel", *given)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["bad.svm"]
