"""`config.torch`: a loop of one's own with our optimizer and scheduler does what our own training does, to 1e-8."""

import copy
import io
import pickle
from typing import Any

import numpy as np
import parity
import pytest
from covering import in_short

from cooldown import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.errors import InputError

torch = pytest.importorskip("torch")

STRATEGIES: list[dict[str, Any]] = [
    {"clip_norm": 0.5},
    {"l2": 0.01},
    {"weight_decay": 0.1},
    {"clip_norm": 0.1, "l2": 0.01, "weight_decay": 0.1},
    {"averaging": "ema", "averaging_decay": 0.9},
    {"averaging": "swa", "averaging_share": 0.4, "batch_size": 9, "epochs": 20},
    {"sam": 0.1, "clip_norm": 0.5},
]


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def network(reference: parity.Reference, theta: Any) -> Any:
    """The task's network with these parameters (size,)."""
    layers: list[Any] = []
    for weights, biases in reference.layers(theta):
        linear = torch.nn.Linear(*weights.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weights.T))
            linear.bias.copy_(torch.tensor(biases))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def parameters_of(reference: parity.Reference, model: Any) -> Any:
    """Those of a network as ours (size,)."""
    theta = reference.final.copy()
    linears = [each for each in model if isinstance(each, torch.nn.Linear)]
    for (weights, biases), linear in zip(reference.layers(theta), linears, strict=True):
        weights[:], biases[:] = linear.weight.detach().numpy().T, linear.bias.detach().numpy()
    return theta


def trained(reference: parity.Reference, stop_after: int | None = None) -> tuple[Any, list[float]]:
    """A plain loop: the network after it, and the mean loss of each epoch. stop_after: an epoch in which the program is
    ended, and started again from its checkpoint.
    """
    config, (X, y) = reference.config, map(torch.tensor, reference.rows)
    model, loss_of = network(reference, reference.initial), torch.nn.CrossEntropyLoss()
    updates_per_epoch = -(-len(X) // config.batch_size)
    optimizer, scheduler = config.torch(model.parameters(), updates_per_epoch)
    plan = config.plan(len(X))
    losses, update = [], 0
    for epoch, order in enumerate(reference.orders):
        total = 0.0
        sizes = plan.sizes[plan.starts[epoch] : plan.starts[epoch + 1]].tolist()
        for rows in torch.split(torch.tensor(order), sizes):
            loss = loss_of(model(X[rows]), y[rows])

            def closure(model: Any = model, optimizer: Any = optimizer, rows: Any = rows) -> Any:
                optimizer.zero_grad()
                loss = loss_of(model(X[rows]), y[rows])
                loss.backward()
                return loss

            optimizer.step(closure)
            scheduler.step()
            update += 1
            total += loss.item() * len(rows)
        losses.append(total / len(X))
        with torch.no_grad(), optimizer.reported():
            watched = [torch.tensor(part) for part in reference.watched]
            loss = loss_of(model(watched[0]), watched[1])
        scheduler.evaluated(loss.item())
        if epoch == stop_after:
            file = io.BytesIO()
            torch.save([each.state_dict() for each in (model, optimizer, scheduler)], file)
            file.seek(0)
            model = network(reference, reference.initial)
            optimizer, scheduler = config.torch(model.parameters(), updates_per_epoch)
            for each, state in zip((model, optimizer, scheduler), torch.load(file, weights_only=True), strict=True):
                each.load_state_dict(state)
    with optimizer.reported():
        return copy.deepcopy(model), losses


def follow(config: TrainConfig, stop_after: int | None = None) -> None:
    reference = parity.Reference(config, tasks.get("iris"))
    model, losses = trained(reference, stop_after)
    reference.assert_followed(parameters_of(reference, model), losses)


# The last batch of iris's epochs has 2 of 8 rows; a plan of full batches knows of no shorter one.
WHOLE = {"batch_size": 9, "epochs": 20}


@pytest.mark.parametrize("name", optimizers.names())
def test_every_rule(name: str) -> None:
    follow(parity.config(name, "cosine", warmup_steps=7))


WAYS = [(name, way) for name in schedules.names() for way in parity.ways(name)]
# Rates come from the plan, whatever the schedule: others react, or change the batches.
WAYS_IN_SHORT = [(name, way) for name, way in WAYS if name in ("cosine", "plateau", "batch_growth")]


@pytest.mark.parametrize(("name", "lengths"), in_short(WAYS, WAYS_IN_SHORT))
def test_every_schedule(name: str, lengths: dict[str, Any]) -> None:
    follow(parity.config("momentum", name, strategies=WHOLE, **lengths))


@pytest.mark.parametrize("strategies", STRATEGIES, ids=str)
@pytest.mark.parametrize("rule", ["adamw", "yellowfin"])
def test_strategies_of_the_gradient(rule: str, strategies: dict[str, Any]) -> None:
    follow(parity.config(rule, "cosine", strategies=strategies))


@pytest.mark.parametrize(("rule", "strategies"), [("schedule_free_sgd", {}), ("momentum", {"averaging": "ema"})])
def test_a_reaction_goes_back_to_what_was_reported(rule: str, strategies: dict[str, Any]) -> None:
    follow(parity.config(rule, "plateau", patience=1, strategies=WHOLE | strategies))


def test_sam_needs_a_closure() -> None:
    optimizer, _ = TrainConfig.from_json({"sam": 0.05}).torch([torch.nn.Parameter(torch.ones(2))], 10)
    with pytest.raises(InputError, match="sam takes two gradients an update"):
        optimizer.step()


@pytest.mark.parametrize(
    ("rule", "schedule"),
    [("yellowfin", "plateau"), ("schedule_free_adamw", "constant"), ("nadam", "sgdr"), ("adam", "one_cycle")],
)
def test_it_goes_on_from_a_checkpoint(rule: str, schedule: str) -> None:
    follow(parity.config(rule, schedule, strategies=WHOLE), stop_after=7)


def test_noise_is_drawn_by_torch_and_decays() -> None:
    config = TrainConfig.from_json(
        {"optimizer": {"name": "sgd", "learning_rate": 1.0}, "gradient_noise": 0.25, "gradient_noise_decay": 1.0}
    )
    weights = torch.nn.Parameter(torch.zeros(40_000))
    optimizer, _ = config.torch([weights], 10)
    torch.manual_seed(1)
    for update in range(3):
        before = weights.detach().clone()
        weights.grad = torch.zeros_like(weights)
        optimizer.step()
        assert (weights - before).std().item() == pytest.approx(0.5 / np.sqrt(1 + update), rel=0.02)


def test_groups_rates_and_missing_gradients_are_as_torch_has_them() -> None:
    config = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 0.1}, "schedule": "constant"})
    first, second, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(3))
    groups = [{"params": [first, unused]}, {"params": [second], "lr": 0.5}]
    optimizer, scheduler = config.torch(groups, 10)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = first.sum() + second.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    scheduler.step()
    assert first.tolist() == pytest.approx([0.9, 0.9])
    assert second.tolist() == [0.5, 0.5]
    assert unused.tolist() == [1.0, 1.0]
    assert scheduler.get_last_lr() == [0.1, 0.5]
    assert optimizer.step() is None
    assert copy.deepcopy(optimizer).state_dict()["param_groups"][0]["updates"] == 2
    assert pickle.loads(pickle.dumps(scheduler.state_dict()))["last_epoch"] == 1


def test_past_the_end_the_last_rate_stays() -> None:
    config = TrainConfig.from_json({"optimizer": "sgd", "schedule": {"name": "linear", "floor": 0.5}, "epochs": 2})
    optimizer, scheduler = config.torch([torch.nn.Parameter(torch.zeros(1))], 3)
    rates = []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    base = config.optimizer.hyperparameters["learning_rate"]
    np.testing.assert_allclose(rates[:6], base * config.plan(3 * config.batch_size).multipliers)
    assert rates[6:] == rates[5:6] * 3


@pytest.mark.parametrize("number", [0, -1, 2.5, True, "ten"])
def test_a_number_of_updates_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(InputError, match=r"updates_per_epoch must be a whole number of at least 1"):
        TrainConfig().torch([torch.nn.Parameter(torch.zeros(1))], number)
