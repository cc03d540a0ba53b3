"""Models of frameworks that a script defines, trained by a worker process."""

import os
import runpy
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

from cooldown import TrainConfig, train
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.executors.packed import Packed

pytest.importorskip("torch")
pytest.importorskip("keras")

SCRIPT = """
import keras
import numpy as np
import torch
from cooldown import tasks


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(4, 7), torch.nn.Dropout(0.1), torch.nn.Linear(7, 3))

    def forward(self, x):
        if torch.get_num_threads() != 1:
            raise RuntimeError("more than one thread")
        return self.body(x)


def make_model():
    return keras.Sequential([keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(3)])


X, y = np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 3
made = [tasks.from_torch(Net, X, y, device="cpu"), tasks.from_keras(make_model, X, y)]
"""


@pytest.mark.processes
# What NumPy says of Keras's own tensors.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_models_defined_in_a_script_reach_a_worker_and_train_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    problems = [task.search_problem() for task in runpy.run_path("script.py", run_name="__main__")["made"]]
    given = [TrainConfig.from_json({"optimizer": "adam", "batch_size": 8, "epochs": 2})], [0]
    workers = LocalProcesses(1)
    try:
        jobs = [workers.submit(train, Packed(problem, "the model"), *given) for problem in problems]
        for problem, job in zip(problems, jobs, strict=True):
            [[here]], [[there]] = train(problem, *given), job.result()
            np.testing.assert_array_equal(there.train_loss, here.train_loss)
            np.testing.assert_array_equal(there.held_out_loss, here.held_out_loss)
    finally:
        workers.close()
