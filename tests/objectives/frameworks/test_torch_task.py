"""`tasks.from_torch`: a module trained by the engine is what a plain PyTorch loop makes of it."""

import threading
from typing import Any

import numpy as np
import pytest
from covering import in_short
from patience import PATIENCE

torch = pytest.importorskip("torch")

from torch_modules import FLAT, LABELS, MODULES, ROWS, normalized, perceptron, plain_loop  # noqa: E402

from cooldown import TrainConfig, optimizers, tasks, train  # noqa: E402
from cooldown.objectives.errors import InputError  # noqa: E402
from cooldown.objectives.frameworks import torch_step  # noqa: E402
from cooldown.objectives.frameworks.torch_random import Draws  # noqa: E402
from cooldown.objectives.random_streams import generator  # noqa: E402
from cooldown.objectives.training.engine import fit  # noqa: E402
from cooldown.testing import task_checks  # noqa: E402

# Every batch of an epoch of 24 rows has the same shape, and is recorded before the last epoch.
CONFIG = TrainConfig.from_json(
    {
        "optimizer": {"name": "momentum", "learning_rate": 0.05},
        "schedule": {"name": "cosine", "warmup_steps": 2},
        "batch_size": 8,
        "epochs": 3,
        "clip_norm": 1.0,
    }
)


@pytest.fixture(autouse=True)
def on_one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def task_of(name: str) -> Any:
    make, X = MODULES[name]
    return tasks.from_torch(make, X, LABELS, name=name, device="cpu")


def programs_of(model: Any) -> list[Any]:
    return list(torch_step.programs_of(model.identity).recorded.values())


def programs(task: Any) -> list[Any]:
    return programs_of(task.model)


# --- what is trained


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_trained_as_by_a_plain_loop(name: str) -> None:
    task = task_of(name)
    problem = task.search_problem()
    fitted = fit(problem, CONFIG, [3], dtype=np.float64)
    module, losses, held_out = plain_loop(*MODULES[name], problem, CONFIG, 3)
    (curve,) = fitted.curves
    np.testing.assert_allclose(curve.train_loss, losses, rtol=1e-6)
    np.testing.assert_allclose(curve.held_out_loss, held_out, rtol=1e-6)
    ours = task.module_of(fitted.theta[0]).state_dict()
    for key, values in module.state_dict().items():
        np.testing.assert_allclose(ours[key].numpy(), values.numpy(), atol=1e-6, err_msg=key)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", MODULES)
def test_a_replicate_gives_the_same_bits_alone_and_beside_others(name: str) -> None:
    task = task_of(name)
    faster = TrainConfig.from_json(CONFIG.to_json() | {"optimizer": {"name": "momentum", "learning_rate": 0.2}})
    (together,) = train(task, [faster, CONFIG], [0, 1, 2])[1:]
    for seed in (0, 2):
        [[alone]] = train(task, [CONFIG], [seed])
        np.testing.assert_array_equal(alone.train_loss, together[seed].train_loss)
        np.testing.assert_array_equal(alone.held_out_loss, together[seed].held_out_loss)


@pytest.mark.parametrize("name", ["perceptron", "batch norm and dropout", "convolutions", "embedding", "attention"])
def test_a_recorded_step_gives_the_bits_of_the_modules_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(name)
    [[recorded]] = train(task, [CONFIG], [0])
    assert programs(task)
    # As TorchScript, without the calls of Python between the kernels.
    assert {type(step).__name__ for step, _ in programs(task)} == {"ScriptMethod"}
    eager = task_of(name)
    monkeypatch.setattr(torch_step, "RECORDED_AFTER", 10**6)
    [[own]] = train(eager, [CONFIG], [0])
    assert not programs(eager)
    np.testing.assert_array_equal(recorded.train_loss, own.train_loss)
    np.testing.assert_array_equal(recorded.held_out_loss, own.held_out_loss)


def test_two_threads_never_wait_for_each_other() -> None:
    """One draws and then records, while another one records, which draws."""
    model = task_of("batch norm and dropout").search_problem().model
    theta = model.init(generator(0, "theta"))[None]

    def step() -> None:
        model.loss_and_gradient(theta.copy(), np.arange(8)[None])

    def draw_and_step() -> None:
        with Draws() as draws:
            draws.seed(0)
            other.start()
            # Long enough to begin a recording; were it not, this test would see less, and be right.
            other.join(0.5)
            step()

    for _ in range(torch_step.RECORDED_AFTER):
        step()
    assert not programs_of(model)
    other, one = (threading.Thread(target=called, daemon=True) for called in (step, draw_and_step))
    one.start()
    for thread in (one, other):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert all(programs_of(model))


class Deep(torch.nn.Module):
    """Stochastic depth that draws from Python's generator."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        import random

        return self.head(self.body(x) if random.random() < 0.5 else x)


class Counting(torch.nn.Module):
    """A state outside of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.calls = torch.nn.Linear(4, 3), 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        return self.head(x) / self.calls


@pytest.mark.parametrize("make", [Deep, Counting, MODULES["branching"][0]])
def test_a_module_that_is_more_than_its_kernels_is_not_recorded(make: Any) -> None:
    task = tasks.from_torch(make, FLAT, LABELS, device="cpu")
    train(task, [CONFIG], [0])
    assert programs(task)
    assert not any(programs(task))


def test_draws_outside_torch_belong_to_the_replicate() -> None:
    task = tasks.from_torch(Deep, FLAT, LABELS, device="cpu")
    together = train(task, [CONFIG], [0, 1])[0][1]
    [[alone]] = train(task, [CONFIG], [1])
    np.testing.assert_array_equal(alone.train_loss, together.train_loss)


@pytest.mark.parametrize("name", in_short(optimizers.names(), ["sgd", "momentum", "adam", "yellowfin"]))
def test_every_rule_trains_a_module(name: str) -> None:
    task = task_of("perceptron")
    config = TrainConfig.from_json({"optimizer": name, "schedule": "plateau", "batch_size": 8, "epochs": 2})
    [[curve]] = train(task, [config], [0])
    assert np.isfinite(curve.train_loss).all()


def test_the_callers_generators_and_threads_stay_as_they_are() -> None:
    import random

    torch.set_num_threads(2)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    task = tasks.from_torch(normalized, FLAT, LABELS, device="cpu")
    train(task, [CONFIG], [0])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert random.getstate() == before[2]
    assert torch.get_num_threads() == 2


# --- the task


def test_running_statistics_and_nothing_else_are_carried_along() -> None:
    assert [tensor.name for tensor in task_of("batch norm and dropout").model.layout.carried] == [
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    assert not task_of("attention").model.layout.carried, "positions are the same for every replicate"


def test_the_module_predicts_as_it_was_measured() -> None:
    task = task_of("batch norm and dropout")
    problem = task.search_problem()
    fitted = fit(problem, CONFIG, [0, 1])
    module = task.module_of(fitted.theta[1])
    with torch.no_grad():
        outputs = module(torch.tensor(FLAT[problem.held_out], dtype=torch.float32))
    labels = torch.tensor(LABELS[problem.held_out])
    curve = fitted.curves[1]
    assert torch.nn.functional.cross_entropy(outputs, labels).item() == pytest.approx(curve.held_out_loss[-1], rel=1e-6)
    assert (outputs.argmax(1) == labels).float().mean().item() == pytest.approx(curve.final_score)


def test_all_rows_can_be_fitted() -> None:
    task = task_of("perceptron")
    fitted = fit(task.problem(np.arange(ROWS), np.array([], int)), CONFIG, [0])
    assert np.isfinite(fitted.theta).all()
    assert fitted.curves[0].train_loss.size == CONFIG.epochs


def test_a_classifications_baseline_is_that_of_class_frequencies() -> None:
    labels = np.repeat([0, 1], [30, 10])
    task = tasks.from_torch(lambda: torch.nn.Linear(4, 2), FLAT, labels, device="cpu")
    problem = task.search_problem()
    assert problem.uninformed_loss == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert problem.uninformed_score == pytest.approx(0.75)
    assert task.score_name == "accuracy"


def test_a_regressions_outputs_may_have_a_column() -> None:
    y = FLAT[:, 0] * 2 + 1
    task = tasks.from_torch(lambda: torch.nn.Linear(4, 1), FLAT, y, device="cpu")
    problem = task.search_problem()
    mean = y[problem.train].mean()
    assert problem.uninformed_loss == pytest.approx(np.square(y[problem.held_out] - mean).mean())
    config = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.1}, "epochs": 60})
    [[curve]] = train(problem, [config], [0])
    assert (task.kind, task.score_name) == ("regression", "R²")
    assert curve.final_score > 0.99


def test_loss_and_metrics_may_be_ones_own() -> None:
    def share_below(outputs: Any, targets: Any) -> Any:
        return ((outputs - targets).abs() < 0.5).double().mean()

    y = FLAT[:, :2]
    make = lambda: torch.nn.Linear(4, 2)  # noqa: E731
    task = tasks.from_torch(make, FLAT, y, loss=torch.nn.L1Loss(), metrics=share_below, device="cpu")
    [[curve]] = train(task, [CONFIG], [0])
    problem = task.search_problem()
    mean = y[problem.train].mean(axis=0)
    assert problem.uninformed_loss == pytest.approx(np.abs(y[problem.held_out] - mean).mean())
    assert task.score_name == "share_below"
    assert 0 <= curve.final_score <= 1
    named = tasks.from_torch(perceptron, FLAT, LABELS, metrics="balanced_accuracy", device="cpu")
    assert named.score_name == "balanced_accuracy"
    assert named.search_problem().uninformed_score == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "name", in_short(["perceptron", "batch norm and dropout", "attention"], ["batch norm and dropout"])
)
def test_a_task_keeps_the_laws_of_tasks_and_models(name: str) -> None:
    for check in task_checks(task_of(name)):
        if "learns" not in check.name:
            check.run()


def test_a_fingerprint_tells_rows_and_modules_apart() -> None:
    def of(make: Any = perceptron, X: Any = FLAT, **options: Any) -> str:
        return tasks.from_torch(make, X, LABELS, device="cpu", **options).fingerprint()

    moved = FLAT.copy()
    moved[-1, -1] += 1e-9
    wider = lambda: torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))  # noqa: E731
    smoothed = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    prints = [of(), of(X=moved), of(wider), of(loss=smoothed), of(metrics="balanced_accuracy")]
    assert len(set(prints)) == len(prints)
    assert of() == prints[0]


# --- what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"module": perceptron()}, "must be a class or function without arguments.*got Sequential"),
        ({"module": lambda: 3}, "must make an nn.Module, but it made int"),
        ({"module": torch.nn.ReLU}, "ReLU has no parameters to train"),
        ({"module": lambda: torch.nn.Linear(5, 3)}, "raised RuntimeError on a batch of two rows"),
        ({"module": lambda: torch.nn.Linear(4, 2)}, "classes up to 2 need 3 outputs.*got 2"),
        ({"X": np.where(np.isclose(FLAT, FLAT[4, 1]), np.nan, FLAT)}, "X must be finite numbers.*row 5"),
        ({"X": FLAT[:-1]}, "same number of rows, got 39 and 40"),
        ({"y": np.array(["a"] * ROWS)}, "only one class"),
        ({"y": None}, "give X and y, or train"),
        ({"loss": "mse"}, "loss='mse'.*must be a function"),
        ({"loss": torch.nn.CrossEntropyLoss(reduction="none")}, "raised RuntimeError"),
        ({"metrics": ["accuracy", "f1"]}, "a run has one score"),
        ({"metrics": "accurracy"}, "did you mean 'accuracy'"),
        ({"device": "cuda:99"}, "device='cuda:99'.*cannot be used"),
        ({"kind": "clasification"}, "did you mean 'classification'"),
        ({"name": ""}, "name"),
        ({"uninformed_loss": float("nan")}, "must be a finite number"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks.from_torch(**{"module": perceptron, "X": FLAT, "y": LABELS, "device": "cpu"} | arguments)


@pytest.mark.parametrize("strategy", [{"dropout": 0.2}, {"batch_norm": True}, {"initialization": "he"}])
def test_strategies_of_our_own_network_are_refused(strategy: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="this task's model is TorchModel"):
        train(task_of("perceptron"), [TrainConfig.from_json(strategy)], [0])
