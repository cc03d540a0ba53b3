"""How the tests run: on all cores, without a clock, and in CI (environment variable CI=true) none of them skipped.

docs/testing.md says how to run them, and what the markers are for.
"""

import gc
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings
from in_jax import XLA_FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from postgresql_server import Server

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before anything loads NumPy or PyTorch: a core per process.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

# Before anything loads JAX.
os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's `&` has Ctrl-C ignored, in whatever the tests start, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

IN_CI = os.environ.get("CI") == "true"

# No example may fail because the machine was busy.
settings.register_profile(
    "cooldown", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI
)
settings.register_profile("full", settings.get_profile("cooldown"), max_examples=100)
settings.load_profile("cooldown")

# With Python's own 700, it searches for garbage a tenth of the time here.
gc.set_threshold(100_000, 10, 10)

MEMORY, ENOUGH = Path("/dev/shm"), 2 * 10**9
"""Where Linux has a file system in memory, and the bytes that must be free there."""


def in_memory() -> bool:
    """Whether temporary files can be in memory: there is room, and programs may be run from there."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free > ENOUGH


if in_memory():
    # On a disk, a run waits for it at every write, as long as it computes; a PostgreSQL server, ten times as long.
    os.environ.setdefault("TMPDIR", str(MEMORY))
    # What is in this process has asked for the folder already.
    tempfile.tempdir = None

ROUNDS = 5
"""Of boosting for references in the tests' process, where they are not what is tested: 100 take long."""

BATCHES = 8
"""At most, of the tests of a file that need not run on one worker."""

GROUPS = ("packaging", "browser", "processes")
"""Markers of tests that start processes of their own: one worker runs those of a marker, one after the other. They take
longest, so they start first.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run every combination, and not only a covering choice")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported, which takes its settings from the profile then."""
    settings.load_profile("full" if config.getoption("--full") else "cooldown")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked so runs on each database, through the fixture `url`."""
    if metafunc.definition.get_closest_marker("databases") and "url" in metafunc.fixturenames:
        metafunc.parametrize("url", ["sqlite", "postgresql"], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the tests; put them in groups, of which each runs on one worker; start what takes longest."""
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]
    for item in items:
        if group := group_of(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=rank)
    if IN_CI or find_spec("torch"):
        return
    for item in items:
        if "[gp" in item.name:
            item.add_marker(pytest.mark.skip(reason="--sampler gp needs torch"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests without a group some at a time: after each, the scheduler looks at all that it has handed out."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class Batches(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            group = super()._split_scope(nodeid)
            return group if group != nodeid else f"{nodeid.partition('::')[0]} {crc32(nodeid.encode()) % BATCHES}"

    return Batches(config, log)


def pytest_collection_finish() -> None:
    """What the tests have imported is there to the end: no search for garbage need look at it."""
    gc.freeze()


def group_of(item: pytest.Item) -> str | None:
    """The marker of its processes, or the file where it shares something with other tests of it; else none."""
    for name in GROUPS:
        if item.get_closest_marker(name):
            return name
    assert isinstance(item, pytest.Function)
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    shares = item.get_closest_marker("together") or any(definition[-1].scope == "module" for definition in fixtures)
    return item.path.name if shares else None


@pytest.fixture(autouse=True)
def _experiments_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment trains in the test's process, where its worker processes are not what is tested."""
    from cooldown.search.executors.engines.inline import Inline

    if not any(request.node.get_closest_marker(name) for name in GROUPS):
        monkeypatch.setattr("cooldown.search.executors.engines.local.LocalProcesses", lambda _workers: Inline())


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """All ledgers in files share what SQLAlchemy has compiled: each of some thousand would compile it again."""
    from statements import compiled_once

    with compiled_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _new_ledgers_copied(tmp_path_factory: pytest.TempPathFactory, _statements_compiled_once: None) -> Iterator[None]:
    """A new ledger in a file is a copy of one that was made, as making it takes a tenth of a small experiment. In
    `tests/storage`, where creation is tested, a test that opens a new one creates it.
    """
    from cooldown.storage import Ledger
    from cooldown.storage.database import Database

    made = Database._bring_up_to_date
    first = tmp_path_factory.mktemp("new") / "ledger.db"
    Ledger(f"sqlite:///{first}")

    def copied(database: Database) -> None:
        if (place := database.file) is None or place.exists() or "tests/storage/" in os.environ["PYTEST_CURRENT_TEST"]:
            return made(database)
        copy = first.with_name(str(threading.get_ident()))
        shutil.copyfile(first, copy)
        try:
            # Whole from its first moment on: another thread may be creating it, too.
            os.link(copy, place)
        except OSError:
            made(database)
        finally:
            copy.unlink()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_bring_up_to_date", copied)
        yield


@pytest.fixture(scope="session", autouse=True)
def _references_once() -> Iterator[None]:
    """References, which are a function of their rows and a third of a small experiment, are trained once for the same
    rows. Where they are what is tested, a fixture of this name takes its place.
    """
    from cooldown.objectives.references import trained
    from cooldown.search.executors.packed import Packed

    known: dict[tuple[str, tuple[str, ...]], object] = {}

    def once(problem: Any, names: Sequence[str]) -> object:
        key = Packed(problem, "the problem").pickled.digest, tuple(names)
        if key not in known:
            known[key] = trained(problem, names, ROUNDS)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cooldown.objectives.references.trained", once)
        yield


@pytest.fixture(scope="module")
def browser() -> "Browser":
    """The Chromium that all tests marked `browser` share."""
    from browser import chromium_path, shared_chromium

    if chromium_path() is None:
        pytest.skip("there is no Chromium")
    return shared_chromium()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Close Chromium behind the last test that looks at a page."""
    if item.get_closest_marker("browser") and (nextitem is None or not nextitem.get_closest_marker("browser")):
        from browser import close_shared_chromium

        close_shared_chromium()


@pytest.fixture(scope="session")
def postgresql_server() -> "Iterator[Server]":
    """A server of this process of the tests."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs psycopg: pip install 'cooldown[postgres]'")
    from postgresql_server import Server, programs

    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _empty_database(postgresql_server: "Server") -> str:
    """The name of a database that is an empty ledger, to be copied."""
    from cooldown.storage import Ledger

    name = postgresql_server.create()
    Ledger(postgresql_server.url(name))._database.engine.dispose()
    return name


@pytest.fixture
def postgresql_url(postgresql_server: "Server", _empty_database: str) -> Iterator[str]:
    """The address of an empty ledger on the server."""
    from cooldown.storage.address import postgresql_url as parts
    from cooldown.storage.postgresql import shared_engine

    name = postgresql_server.create(_empty_database)
    address = postgresql_server.url(name)
    yield address
    shared_engine(parts(address)).dispose()
    postgresql_server.drop(name)


def rank(item: pytest.Item) -> int:
    """Processes first, then files, and single tests at the end, when they fill what is left of each core."""
    group = item.get_closest_marker("xdist_group")
    if group is None:
        return len(GROUPS) + 1
    return GROUPS.index(group.args[0]) if group.args[0] in GROUPS else len(GROUPS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a skipped test has failed."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow"
    return report
