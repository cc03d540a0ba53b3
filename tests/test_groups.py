"""Tests of one group run in one worker: fixtures of a file are built once, and processes are kept apart."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="in one process there are no groups")
@pytest.mark.xdist_group("of-this-test")
def test_the_scheduler_is_told_the_group(request: pytest.FixtureRequest) -> None:
    """By the end of a test's identifier, which it gets from pytest-xdist."""
    assert request.node.nodeid.endswith("@of-this-test")
