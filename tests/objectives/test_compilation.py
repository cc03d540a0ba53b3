"""A kernel leaves the same bits whether the process has compiled it or loaded it from disk, and however the arrays that
a model returns are laid out.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cooldown.objectives import Problem, TrainConfig, optimizers, train
from cooldown.objectives.fusion import fused

TRAINING = """
import hashlib
import json
import sys
from dataclasses import replace
import numpy as np
from numba.core.event import install_recorder
from cooldown.objectives import Problem, TrainConfig, optimizers, train
from cooldown.objectives.fusion import fused
from cooldown.objectives.models.mlp import MLP

class Bowl:
    size = 100

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        return np.square(theta).sum(axis=1), 2 * theta

rng = np.random.default_rng(0)
X, rows, held_out = rng.normal(size=(40, 64)), np.arange(30), np.arange(30, 40)
# As large as a small task: in a tiny network a sum has too few terms to be rounded in another way.
coder = MLP(X, np.tanh(X), (32, 9), 64, "squared_error", "tanh")
classifier = MLP(X, np.arange(40) % 3, (9,), 3, "cross_entropy")
weights = rng.uniform(0.5, 2, 40)
models = {
    "a user's": (Bowl(), {}),
    "coder": (coder, {}),
    "classifier": (classifier, {"batch_norm": True}),
    "weighted coder": (replace(coder, weights=weights), {}),
    "weighted classifier": (replace(classifier, weights=weights), {"batch_norm": True}),
}
bits, code = {}, {}
with install_recorder("numba:compile") as compilations:
    for name, precision, trained in json.loads(sys.argv[1]):
        config = {"optimizer": name, "epochs": 3, "batch_size": 5, "l2": 1e-3}
        digest = hashlib.sha256()
        for each in trained:
            model, options = models[each]
            given = Problem(model, rows, held_out, 1e9), [TrainConfig.from_json(config | options)], [0, 1]
            for curve in train(*given, dtype=precision)[0]:
                digest.update(curve.train_loss.tobytes() + curve.held_out_loss.tobytes())
        bits[f"{name} {precision}"] = digest.hexdigest()
        kernel = fused(optimizers.get(name), precision)
        if not kernel.stats.cache_hits:
            code[f"{name} {precision}"] = "".join(kernel.inspect_llvm().values())
print(json.dumps([bits, code, len(compilations.buffer)]))
"""

IN_SHORT = [
    ("sgd", "float32", ["weighted coder"]),
    ("adam", "float64", ["classifier"]),
    ("radam", "float32", ["a user's"]),
    ("yellowfin", "float64", ["a user's"]),
]
"""A rule without a state, one with two, one that distinguishes cases, and one that tunes its own rate; each kernel of a
network in one of the precisions.
"""


@pytest.fixture(scope="module")
def trainings(request):
    """Rules to compile, each of which takes a second, in a precision, and what is trained with them."""
    if not request.config.getoption("--full"):
        return IN_SHORT
    networks = {name: ["coder", "classifier"] for name in optimizers.names()}
    networks["sgd"] += ["weighted coder", "weighted classifier"]
    return [(name, precision, networks[name]) for name in networks for precision in ("float32", "float64")]


@pytest.fixture(scope="module")
def processes(trainings, tmp_path_factory):
    """What every training left, the code of the rules' kernels compiled, and how much was compiled, in two processes
    one after the other that share a cache, empty at first.
    """
    cache = tmp_path_factory.mktemp("cache")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", TRAINING, json.dumps(trainings)]

    def trained():
        return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    return trained(), trained()


def test_a_compiled_and_a_loaded_kernel_leave_the_same_bits(processes, trainings):
    (compiled, compiled_code, compilations), (loaded, loaded_code, more) = processes
    assert list(compiled_code) == list(compiled), "the first process compiles all rules"
    assert not loaded_code, "the second one none"
    assert compilations > more == 0, "nor any other kernel"
    assert len(set(compiled.values())) == len(compiled) == len(trainings)
    assert loaded == compiled


def test_a_kernel_calls_no_other_compiled_function(processes):
    """A call is linked by name, to whichever function of that name came first into the process."""
    for kernel, code in processes[0][1].items():
        (kernel_symbol,) = set(re.findall(r'^define [^@]*@"?(_ZN8cooldown[^"(]*fused_[^"(]*)', code, re.MULTILINE))
        called = set(re.findall(r'\bcall [^@\n]*@"?(_ZN[^"(]*)', code))
        assert called == {kernel_symbol}, f"{kernel}: its entry points call it, and nothing else is called"


class Transposed:
    """A user's model whose gradient (R, P) lies in memory as (P, R)."""

    size = 70

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        return np.square(theta).sum(axis=1), np.asfortranarray(2 * theta)


def exp(x, y):
    """Called as numpy's function is."""
    return np.exp(x) + y


def with_a_helper_called_exp(theta, gradient, learning_rate, t):
    return (theta - learning_rate * exp(gradient, t),)


def test_a_helper_may_be_called_as_a_function_of_numpy_is():
    adapted = replace(optimizers.get("sgd"), update=with_a_helper_called_exp)
    assert fused(adapted, "float64")


def test_a_gradient_of_another_layout_compiles_no_other_kernel():
    kernel = fused(optimizers.get("sgd"), "float32")
    problem = Problem(Transposed(), np.arange(8), np.arange(8, 10), 1e3)
    before = set(kernel.signatures)
    train(problem, [TrainConfig.from_json({"optimizer": "sgd", "epochs": 1})], [0, 1])
    assert {signature[1].layout for signature in {*kernel.signatures} - before} <= {"C"}
