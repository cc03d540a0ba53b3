"""In CI (environment variable CI=true) no test may be skipped: a test that is not run shows nothing.

`make test` runs them on all cores. The tests of a file that start workers, servers and browsers of their own, and kill
some of them, run one after the other.
"""

import os
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before anything loads NumPy or PyTorch: a core per process.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

IN_CI = os.environ.get("CI") == "true"


ROOT = Path(__file__).parent
ALONE = (ROOT / "objectives", ROOT / "search" / "export")
"""Where tests use nothing but their own process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests; outside CI leave out the sampler that needs a package which is missing."""
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in ALONE):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    if IN_CI or find_spec("torch"):
        return
    for item in items:
        if "[gp" in item.name:
            item.add_marker(pytest.mark.skip(reason="--sampler gp needs torch"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a skipped test has failed."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow"
    return report
