"""Every fault can still be planted, and is in the documentation: `make faults` runs the tests on each."""

from pathlib import Path

import pytest

from tests.faults.planted import FAULTS, Fault

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_it_replaces_is_there_once_and_its_tests_are_there(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text("utf-8").count(fault.old) == 1
    assert fault.new != fault.old
    assert all((ROOT / tests).exists() for tests in fault.tests)
    assert f"| {fault.name} | " in (ROOT / "docs" / "testing.md").read_text("utf-8")
