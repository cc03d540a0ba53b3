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
from cooldown.objectives import Problem, TrainConfig, optimizers, train
from cooldown.objectives.fusion import fused
from cooldown.objectives.models.mlp import MLP

rng = np.random.default_rng(0)
X, rows, held_out = rng.normal(size=(40, 64)), np.arange(30), np.arange(30, 40)
# As large as a small task: in a tiny network a sum has too few terms to be rounded in another way.
coder = Problem(MLP(X, np.tanh(X), (32, 9), 64, "squared_error", "tanh"), rows, held_out, 1.0)
classifier = Problem(MLP(X, np.arange(40) % 3, (9,), 3, "cross_entropy"), rows, held_out, 1.0)
weights = rng.uniform(0.5, 2, 40)
weighed = [Problem(replace(each.model, weights=weights), rows, held_out, 1.0) for each in (coder, classifier)]
bits, code = {}, {}
for number, name in enumerate(sys.argv[2:]):
    config = {"optimizer": name, "epochs": 3, "batch_size": 5, "l2": 1e-3}
    for precision in ("float32", "float64") if sys.argv[1] == "full" else (("float32", "float64")[number % 2],):
        digest = hashlib.sha256()
        weighted = [(each, {}) for each in weighed] if name == "sgd" else []
        for problem, options in ((coder, {}), (classifier, {"batch_norm": True}), *weighted):
            for curve in train(problem, [TrainConfig.from_json(config | options)], [0, 1], dtype=precision)[0]:
                digest.update(curve.train_loss.tobytes() + curve.held_out_loss.tobytes())
        bits[f"{name} {precision}"] = digest.hexdigest()
        kernel = fused(optimizers.get(name), precision)
        if not kernel.stats.cache_hits:
            code[f"{name} {precision}"] = "".join(kernel.inspect_llvm().values())
print(json.dumps([bits, code]))
"""


IN_SHORT = ("sgd", "adam", "radam", "yellowfin")
"""One without a state, one with two, one that distinguishes cases, and one that tunes its own rate."""


@pytest.fixture(scope="module")
def rules(request):
    """Rules to compile, each of which takes a second."""
    return optimizers.names() if request.config.getoption("--full") else IN_SHORT


@pytest.fixture(scope="module")
def processes(request, rules, tmp_path_factory):
    """What every rule's training left, and the code of the kernels compiled, in two processes one after the other that
    share a cache, empty at first. In single and in double precision, from rule to rule; in full, each in both.
    """
    cache = tmp_path_factory.mktemp("cache")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}

    def trained():
        kind = "full" if request.config.getoption("--full") else "short"
        command = [sys.executable, "-c", TRAINING, kind, *rules]
        return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    return trained(), trained()


def test_a_compiled_and_a_loaded_kernel_leave_the_same_bits(processes, rules):
    (compiled, compiled_code), (loaded, loaded_code) = processes
    assert list(compiled_code) == list(compiled), "the first process compiles all kernels"
    assert not loaded_code, "the second one none"
    assert len(set(compiled.values())) == len(compiled) >= len(rules)
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
