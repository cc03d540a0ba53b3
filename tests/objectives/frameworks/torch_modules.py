"""Modules of every sort, and a plain PyTorch loop that trains one as the engine does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from cooldown import TrainConfig
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.data_order import DataOrder

ROWS = 40
LABELS = np.arange(ROWS) % 3


class LastOfSequence(nn.Module):
    """An LSTM, read at its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x)[0][:, -1])


class Attention(nn.Module):
    """Embeddings and attention over them, with dropout inside."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 8), nn.Linear(8, 3)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.register_buffer("positions", torch.linspace(-1, 1, 6)[:, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.embedding(x) + self.positions).mean(dim=1))


class Branching(nn.Module):
    """A module whose code depends on values."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.one(x) if x.sum() > 0 else self.other(x)


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 7), nn.Tanh(), nn.Linear(7, 3))


def normalized() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 3))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3)
    )


def embedded() -> nn.Module:
    return nn.Sequential(nn.Embedding(20, 4), nn.Flatten(), nn.Linear(24, 3))


_rng = np.random.default_rng(0)
FLAT, WORDS = _rng.normal(size=(ROWS, 4)), _rng.integers(0, 20, (ROWS, 6))
MODULES: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "perceptron": (perceptron, FLAT),
    "batch norm and dropout": (normalized, FLAT),
    "convolutions": (convolutions, _rng.normal(size=(ROWS, 1, 4, 4))),
    "LSTM": (LastOfSequence, _rng.normal(size=(ROWS, 5, 4))),
    "embedding": (embedded, WORDS),
    "attention": (Attention, WORDS),
    "branching": (Branching, FLAT),
}


def plain_loop(
    make: Callable[[], nn.Module], X: Any, problem: Problem, config: TrainConfig, seed: int
) -> tuple[nn.Module, list[float], list[float]]:
    """A module trained in float64 with `config.torch`, and its training and held-out losses of each epoch."""
    generator_state = torch.get_rng_state()
    torch.manual_seed(int(generator(seed, "initial weights").integers(2**63 - 1)))
    module, loss_of = make().double(), nn.CrossEntropyLoss()
    order = DataOrder(problem.train, generator(seed, "data order"), config.epochs, True, "none")
    draws = generator(seed, "draws of the model")
    inputs, labels = torch.tensor(X), torch.tensor(LABELS)
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    batches = -(-len(problem.train) // config.batch_size)
    optimizer, scheduler = config.torch(module.parameters(), batches)
    losses, held_out = [], []
    for epoch in range(config.epochs):
        module.train()
        total = 0.0
        for rows in torch.tensor(order.epoch(epoch)).split(config.batch_size):
            torch.manual_seed(int(draws.integers(2**63 - 1)))
            optimizer.zero_grad()
            loss = loss_of(module(inputs[rows]), labels[rows])
            loss.backward()
            for parameter in module.parameters():
                # The engine's rules see a gradient of 0 where PyTorch's optimizers skip the parameter.
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(rows)
        losses.append(total / len(problem.train))
        module.eval()
        with torch.no_grad():
            rows = torch.tensor(problem.held_out)
            held_out.append(loss_of(module(inputs[rows]), labels[rows]).item())
    torch.set_rng_state(generator_state)
    return module, losses, held_out
