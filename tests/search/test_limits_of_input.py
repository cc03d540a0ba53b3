"""Input that would hang a command or fill the memory: refused with the limit, before anything is read or built."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from cooldown import compare, resume, tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.files import DOCUMENT_BYTES
from cooldown.objectives.training import memory
from cooldown.objectives.training.engine import fit, train
from cooldown.search.spec import limits
from cooldown.search.spec.experiment import planned_spec, read_spec
from cooldown.search.tuning.size import check_size
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Ledger

BIG = 10**22


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that no command may read to their end."""
    folder = tmp_path_factory.mktemp("traps")
    for suffix in ("csv", "toml", "json", "db", "parquet", "html"):
        os.mkfifo(folder / f"pipe.{suffix}")
        (folder / f"endless.{suffix}").symlink_to("/dev/zero")
        with (folder / f"huge.{suffix}").open("wb") as file:
            file.truncate(2 * 10**9)
    texts = {
        "large.toml": "task = 'iris'\n" + "# a comment\n" * (DOCUMENT_BYTES // 10),
        "line.csv": "a" * 10_000_000 + ",y\n1,2\n",
        "columns.csv": ",".join(f"c{i}" for i in range(300_000)) + "\n1\n",
        "brackets.toml": "task = " + "[" * 2_000,
        "dots.toml": "a" + ".a" * 9_000 + " = 1",
        "brackets.json": "[" * 100_000,
        "many.toml": "".join(f"key{i} = 1\n" for i in range(100_000)),
        "arms.toml": f"task = 'iris'\narms = {['adam'] * 200}",
        "ranges.toml": "task = 'iris'\n[ranges]\n" + "".join(f"r{i} = 1\n" for i in range(5_000)),
        "name.toml": f"task = '{'x' * 1_000_000}'",
        "seeds.json": json.dumps({"schema": 1, "config": {"optimizer": "sgd"}, "seeds": {"search": [0] * 5_000}}),
        "epochs.json": '{"optimizer": "sgd", "epochs": 1000000000}',
        "rows.csv": "a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def hostile(traps: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, to work in; nothing may be changed in it."""
    monkeypatch.chdir(traps)
    return traps


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("compare pipe.csv --target y", "is a pipe, not a file"),
        ("compare endless.csv --target y", "is a device or a socket, not a file"),
        ("compare huge.csv --target y", "has more than 1,000 MB, the limit"),
        ("compare huge.parquet --target y", "has more than 1,000 MB, the limit"),
        ("compare rows.csv --target y --test pipe.csv", "is a pipe, not a file"),
        ("compare rows.csv --target y --test endless.parquet", "is a device or a socket, not a file"),
        ("compare line.csv --target y", "the header line has 10,000,002 characters, more than 1,000,000"),
        ("compare columns.csv --target y", "the header line has "),
        ("compare pipe.toml", "is a pipe, not a file"),
        ("compare endless.toml", "is a device or a socket, not a file"),
        ("compare huge.toml", "has more than 2 MB, the limit"),
        ("compare large.toml", "has more than 2 MB, the limit"),
        ("compare --from pipe.json", "is a pipe, not a file"),
        ("compare --from huge.json", "has more than 2 MB, the limit"),
        ("compare brackets.toml", "cannot be read as TOML: it is nested too deeply"),
        ("compare dots.toml", "cannot be read as TOML: it is nested too deeply"),
        ("compare many.toml", "100,001 problems in the spec"),
        ("compare arms.toml", "arms: should be at most 100 arms, got 200"),
        ("compare ranges.toml", "ranges: should be at most 1,000 ranges, got 5,000"),
        ("compare name.toml", "unknown task 'xxx"),
        ("train pipe.json", "is a pipe, not a file"),
        ("train endless.json", "is a device or a socket, not a file"),
        ("train /dev/zero", "is a device or a socket, not a file"),
        ("train huge.json", "has more than 2 MB, the limit"),
        ("train brackets.json", "cannot be read as JSON: it is nested too deeply"),
        ("train seeds.json", "seeds.search: List should have at most 1000 items"),
        ("train epochs.json iris", "epochs: should be at most 50,000, got 1000000000"),
        ("list --db pipe.db", "is a pipe, not a file"),
        ("list --db sqlite:///endless.db", "is a device or a socket, not a file"),
        ("list --db huge.db", "is not a SQLite database"),
        (f"list --db sqlite:///{'d/' * 3_000}x.db", "is not the address of a ledger"),
        (
            "surface beale -o pipe.html --force --optimizer sgd --steps 5",
            "cannot be written: nobody reads this pipe",
        ),
        (f"surface beale --steps {BIG}", "from 1 to 10000"),
        (f"train epochs.json --seeds {BIG}", f"{BIG} is more than the limit of 1,000"),
        (f"compare iris --seeds {BIG}", "seeds: should be less than or equal to 1000"),
        (f"compare iris --repeats {BIG}", "repeats: should be less than or equal to 1000"),
        (f"compare iris --trials {BIG}", "trials: should be less than or equal to 100000"),
        (f"compare iris --epochs {BIG}", "epochs: should be less than or equal to 50000"),
        (f"compare iris --workers {BIG}", f"{BIG} is more than the limit of 256"),
        (f"compare iris --max-repeats {BIG}", f"{BIG} is more than the limit of 1,000"),
        (f"compare iris --batch-size {BIG}", "batch_size: should be less than or equal to 1000000"),
        (f"compare iris --trials {'9' * 5_000}", "is not a whole number"),
        ("compare iris --hidden 1000000", "hidden[0]: should be less than or equal to 10000, got 1000000"),
        (f"compare iris --hidden {'8,' * 500}8", "hidden: Tuple should have at most 100 items"),
        ("compare iris --hidden 10000,10000", "GB of memory in each process, more than the limit of"),
        ("compare iris --arm adam[epochs=1000000]", "epochs must be one whole number from 1 to 50,000"),
        (f"dashboard --port {BIG}", f"{BIG} is more than the limit of 65,535"),
        (f"dashboard --host {'h' * 10_000}", "it is not a host name"),
    ],
)
def test_it_is_refused_with_the_limit(arguments: str, said: str, run_here: Any, hostile: Path) -> None:
    before = sorted(hostile.iterdir())
    code, out, err = run_here(*shlex.split(arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert len(err) < 10_000
    assert sorted(hostile.iterdir()) == before


def test_the_memory_of_a_run_is_estimated_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = tasks.get("iris").search_problem()
    config = TrainConfig()
    small = memory.run_bytes(problem, [config], 1)
    assert 0 < small < 10_000_000
    assert memory.run_bytes(problem, [config], 10) > 5 * small
    assert memory.run_bytes(problem, [TrainConfig(epochs=3_000)], 1) > 2 * small
    wide = tasks.get("iris").with_hidden((4_000, 4_000)).search_problem()
    parameters = wide.model.size
    assert 6 * 4 * parameters < memory.run_bytes(wide, [config], 1) < 20 * 4 * parameters
    monkeypatch.setattr(memory, "MOST", small - 1)
    for call in (lambda: train(problem, [config], [0]), lambda: fit(problem, config, [0])):
        with pytest.raises(InputError, match="of memory in each process, more than the limit"):
            call()


def test_all_workers_together_have_the_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    total = memory.psutil.virtual_memory().total
    monkeypatch.setattr(memory, "MOST", total)
    memory.check_memory("here", total // 4, processes=4)
    with pytest.raises(InputError, match="here: needs about"):
        memory.check_memory("here", total // 4 + 1, processes=4)


def test_the_size_of_an_experiment() -> None:
    def check(**fields: Any) -> None:
        spec = read_spec(task="iris", **fields)
        check_size(spec, Splits(tasks.get("iris"), spec), 1)

    check()
    with pytest.raises(
        InputError, match=r"arms × repeats: 21 × 1,000 are 21,000 studies, more than the limit of 20,000"
    ):
        check(arms=[f"a{i}=adam" for i in range(21)], repeats=1_000)
    with pytest.raises(InputError, match="the record of all runs: needs about"):
        check(trials=100_000, repeats=100, seeds=100)


def test_an_experiment_is_not_extended_beyond_the_limits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/it.db"
    tiny: dict[str, Any] = {"trials": 1, "repeats": 1, "epochs": 1, "seeds": 1, "finalists": 1, "confirm_seeds": 1}
    compare("iris", arms=["adam"], name="it", db=url, workers=1, **tiny)
    before = Ledger(url).load("it").spec
    for changes in ({"trials": limits.TRIALS + 1}, {"repeats": limits.REPEATS + 1}):
        with pytest.raises(InputError, match="should be less than or equal to"):
            resume("it", db=url, workers=1, **changes)
    assert Ledger(url).load("it").spec == before


def test_mistakes_of_a_plan_are_told_with_all_others() -> None:
    with pytest.raises(InputError) as raised:
        planned_spec(until_decided="maybe", trials=0, sampler="bayes")
    lines = str(raised.value).splitlines()
    assert lines[0] == "4 problems in the spec:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["until_decided", "task", "trials", "sampler"]
    with pytest.raises(InputError, match=r"^max_repeats: 3 is fewer than the first look's 5 repeats$"):
        planned_spec(task="iris", until_decided=True, max_repeats=3)
    with pytest.raises(InputError, match=r"class_weight: the weight of a class should be .* at most 1,000,000, got 1e"):
        planned_spec(task="iris", class_weight={"a": 1e300})
