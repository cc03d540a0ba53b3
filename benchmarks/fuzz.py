"""Odd input for every command: `python -m benchmarks.fuzz [--count 1000] [--seed 0]`.

Each input is a command with odd options or a damaged file, drawn from the seed and its number. It runs in a process of
its own, forked from this one so that nothing is imported twice, with 30 s and 1 GB of memory.
A traceback, a hang, an unknown exit code and too much memory are faults: they are printed with the command, whose files
stay in the folder that is named at the end, and the exit code is 1.
"""

import argparse
import os
import resource
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random

# Before numpy is imported: a process with threads must not fork.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "80"}

SECONDS, BYTES = 30, 10**9
PRELOADED = ("pandas", "pyarrow.parquet", "sklearn.compose", "cooldown.search.cli", "cooldown.search.experiments")
PRELOADED += ("cooldown.search.report", "cooldown.search.tuning.runner", "cooldown.objectives.training.engine")

EXIT_CODES = (0, 1, 2)
SMALL = shlex.split("--trials 2 --repeats 1 --epochs 1 --seeds 1 --finalists 1 --confirm-seeds 1 --workers 1 --quiet")
NUMBERS = [*shlex.split("0 -1 1 2 1.5 1e3 nan inf -inf 0x10 １ --"), "", " ", "10" * 30, "9" * 5000]
TEXTS = [
    *shlex.split("- -- -x é 日本 🎉 `id` $(id) %s {} =1+1 a:b : os:path [ adam[ adam[dropout=9] + , a,b a=b=c"),
    *shlex.split("../.. / /dev/zero /dev/null pipe folder . none.csv none.toml openml: None"),
    *["", " ", "it's", '"', "a\tb", "\x1b[31m", "\u202e", "\u200b", "\udcff", "a" * 300, "b" * 20_000],
]
WORDS = shlex.split(
    "adam momentum+cosine x=adam[batch_norm=true] adam.beta1=0.5:0.9 strategy.dropout=0.1 iris it y a "
    "balanced log roc_auc mae tpe random median hyperband csv json torch pairs"
)
COUNTS = shlex.split("trials repeats epochs seeds finalists confirm-seeds seed workers batch-size max-repeats")
NAMES = shlex.split(
    "arm sampler pruner hidden set target test metric objective class-weight name "
    "sample-weight target-transform margin db"
)
FITTING = {
    "arm": ["adam", "momentum+cosine", "x=adam[batch_norm=true]", "sgd,nag+sgdr"],
    "sampler": ["tpe", "random", "qmc"],
    "pruner": ["none", "median", "hyperband"],
    "hidden": ["0", "4", "8,8"],
    "set": ["adam.beta1=0.5:0.9", "strategy.dropout=0.1", "strategy.early_stopping=1"],
    "metric": ["roc_auc_ovr", "f1_macro", "mae"],
    "objective": ["balanced_accuracy", "mae", "neg_log_loss"],
    "target": ["y", "a", "b"],
    "test": ["rows.parquet", "rows.csv"],
    "class-weight": ["balanced"],
    "sample-weight": ["c"],
    "target-transform": ["log"],
    "margin": ["0.1", "0.5"],
    "name": ["mine", "it", "-x", "a b"],
    "db": ["cooldown.db", "sqlite:///cooldown.db", "new.db", "rows.csv"],
    "target-loss": ["0.5", "-1"],
    "format": ["json", "toml", "csv", "parquet", "torch", "keras", "optax", "sklearn"],
    "output": ["-", "new.json", "new.csv", "new.html", "pipe", "rows.csv"],
}
"""Values that fit an option; any other option is a count."""

ABOUT_IT = {
    "show": ["target-loss", "db"],
    "trials": ["db"],
    "delete": ["db"],
    "resume": ["trials", "repeats", "max-repeats", "workers", "db"],
    "export": ["format", "arm", "repeat", "trial", "output", "db"],
    "report": ["output", "db"],
}
"""The options with a value of each command about an experiment."""

TABLE = "a,b,c,y\n" + "".join(f"{i / 7:.3f},{'uvw'[i % 3]},{i % 5},{'no' if i % 2 else 'yes'}\n" for i in range(60))
SPEC = (
    'task = "iris"\narms = ["adam", "momentum+cosine"]\ntrials = 2\nrepeats = 1\nepochs = 1\nseeds = 1\nfinalists = 1\n'
)
SPEC += "confirm_seeds = 1\nhidden = [4]\n[ranges]\nadam.beta1 = 0.9\nmomentum.learning_rate = [0.01, 0.1]\n"


@dataclass(frozen=True)
class Case:
    """One input: a command, and the file beside it that is damaged, if one is."""

    arguments: list[str]
    damaged: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a case. fault: "" for none. megabytes: the most memory that it held."""

    code: int
    seconds: float
    megabytes: float
    fault: str = ""


def case(random: Random) -> Case:
    """A random input."""
    draw: Callable[[Random], Case] = random.choices(
        [_compare, _about_it, _table, _document, _train, _ledger, _others], [25, 25, 15, 12, 8, 5, 10]
    )[0]
    return draw(random)


def _value(random: Random) -> str:
    return random.choice(random.choice([NUMBERS, TEXTS, WORDS]))


def _options(random: Random, names: list[str], most: int = 4) -> list[str]:
    """Some of the options, most with a value that fits: otherwise the first odd one hides what the others do."""
    chosen = random.sample(names, random.randint(0, min(most, len(names))))
    return [
        word
        for name in chosen
        for word in (
            f"--{name}",
            random.choice(FITTING.get(name, ["1", "2"])) if random.random() < 0.8 else _value(random),
        )
    ]


def _compare(random: Random) -> Case:
    task = random.choice(["iris", "rows.csv", "spec.toml", _value(random)])
    target = ["--target", "y"] if task == "rows.csv" else []
    dry = random.choice([[], ["--json"], ["--until-decided"]])
    options = [*_options(random, COUNTS), *_options(random, NAMES)]
    return Case([random.choice(["compare", "tune"]), task, *target, *SMALL, *dry, *options])


def _about_it(random: Random) -> Case:
    verb = random.choice(list(ABOUT_IT))
    name = random.choice(["it", "it", "it", _value(random)])
    section = [random.choice(["pairs", "credit", "budget", "cost", _value(random)])] if verb == "show" else []
    flags = random.choice([[], ["--json"], ["--csv"], ["--force"], ["--extend"], ["--curves"], ["--yes"]])
    return Case([verb, name, *section, *flags, *_options(random, ABOUT_IT[verb])])


def _table(random: Random) -> Case:
    kind = random.choice(["csv", "csv", "parquet"])
    arguments = ["compare", f"rows.{kind}", "--target", random.choice("abcy"), *SMALL]
    return Case([*arguments, *_options(random, ["test", "sample-weight", "hidden", "objective"], 1)], f"rows.{kind}")


def _document(random: Random) -> Case:
    return Case([random.choice(["compare", "tune"]), "spec.toml", *SMALL], "spec.toml")


def _train(random: Random) -> Case:
    file = random.choice(["it.json", "it.toml"])
    task = random.choice([[], ["iris"], ["rows.csv", "--target", "y"], [_value(random)]])
    return Case(["train", file, *task, *_options(random, ["seeds", "target", "test"], 2)], random.choice([file, None]))


def _ledger(random: Random) -> Case:
    verb = random.choice(["list", *ABOUT_IT])
    return Case([verb, *([] if verb == "list" else ["it"]), *(["--yes"] if verb == "delete" else [])], "cooldown.db")


def _others(random: Random) -> Case:
    value = _value(random)
    return Case(
        random.choice(
            [
                ["catalog", value],
                ["surface", random.choice(["beale", value]), "--steps", random.choice([*NUMBERS, "20"]), "--json"],
                ["surface", "beale", "--optimizer", value, "-o", _value(random), "--steps", "20"],
                ["check", random.choice(["sgd", "iris", value])],
                ["list", "--db", value],
                ["dashboard", "--port", random.choice(["0", "-1", "x", "9" * 30, "65536"]), "--db", value],
                ["dashboard", "--host", random.choice(["", "h" * 10_000, "\udcff", "no host", "192.0.2.1"])],
                [value, value],
            ]
        )
    )


def damage(content: bytes, random: Random) -> bytes:
    """The content with a few bytes changed, cut out, repeated or put in."""
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 5, 20])):
        place, length = random.randrange(len(data) + 1), random.choice([1, 2, 8, 100])
        piece = bytes(data[place : place + length])
        odd = random.choice(
            [b"\0", b"\xff", b'"', b"\n", b",", b"=", b"[", b"1e999", b"nan", "\u202e".encode(), b"\x1b["]
        )
        new = random.choice([b"", piece * 3, odd, odd * 50, random.randbytes(len(piece)), piece.swapcase()])
        data[place : place + length] = new
    return bytes(data)


def prepare(folder: Path) -> None:
    """Good input: tables, a spec, a ledger with the finished experiment `it`, and its exported configuration."""
    import pandas as pd

    from cooldown.search import experiments

    (folder / "rows.csv").write_text(TABLE)
    (folder / "spec.toml").write_text(SPEC)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    pd.read_csv(folder / "rows.csv").to_parquet(folder / "rows.parquet")
    os.chdir(folder)
    result = experiments.compare(
        "iris",
        name="it",
        arms=["adam", "momentum+cosine"],
        trials=3,
        repeats=2,
        epochs=2,
        seeds=1,
        finalists=1,
        workers=1,
    )
    for kind in ("json", "toml"):
        (folder / f"it.{kind}").write_text(str(result.export(kind)))


def forked(work: Callable[[], None], folder: Path) -> Outcome:
    """Do `work` in a forked process inside `folder`, with what it prints in two files there."""
    started, child = time.monotonic(), os.fork()
    if child == 0:
        try:
            os.setsid()
            os.chdir(folder)
            for number, name in enumerate(("/dev/null", "stdout", "stderr")):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
            # Not of addresses, of which libraries reserve more than they use.
            resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
            work()
        except SystemExit as ended:
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    while (done := os.wait4(child, os.WNOHANG))[0] == 0 and time.monotonic() - started < SECONDS:
        time.sleep(0.005)
    if done[0] == 0:
        os.killpg(child, signal.SIGKILL)
        done = os.wait4(child, 0)
    code, seconds = os.waitstatus_to_exitcode(done[1]), time.monotonic() - started
    return Outcome(code, seconds, done[2].ru_maxrss / 1000, _fault(code, seconds, folder))


def _fault(code: int, seconds: float, folder: Path) -> str:
    said = (folder / "stderr").read_bytes() if (folder / "stderr").exists() else b""
    if seconds >= SECONDS:
        return "hang"
    if b"MemoryError" in said or b"Unable to allocate" in said:
        return "memory"
    if b"Traceback" in said:
        return "traceback"
    return "" if code in EXIT_CODES else f"exit code {code}"


def run(one: Case, random: Random, good: Path, folder: Path) -> Outcome:
    """Run the case in `folder`, on copies of the good files."""
    shutil.copytree(good, folder, ignore=shutil.ignore_patterns("pipe", "stdout", "stderr"))
    os.mkfifo(folder / "pipe")
    if one.damaged is not None:
        path = folder / one.damaged
        path.write_bytes(damage(path.read_bytes(), random))

    def work() -> None:
        from cooldown.search.cli import main

        sys.argv = ["cooldown", *one.arguments]
        main()

    return forked(work, folder)


def main() -> None:
    """Run the inputs, print each fault, and say how many there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="run the input of this number only")
    given = parser.parse_args()

    for module in PRELOADED:
        import_module(module)
    from cooldown.search.executors.engines import local
    from cooldown.search.executors.engines.inline import Inline

    # Jobs run in this process: what is tried here is the input, not the workers.
    local.LocalProcesses = lambda _workers: Inline()  # type: ignore[assignment, misc]

    root = Path(tempfile.mkdtemp(prefix="cooldown-fuzz-"))
    good = root / "good"
    good.mkdir()
    prepared = forked(lambda: prepare(good), good)
    if prepared.code:
        sys.exit((good / "stderr").read_text())
    outcomes: list[Outcome] = []
    for number in range(given.count) if given.only is None else [given.only]:
        random = Random(f"{given.seed}/{number}")
        one, folder = case(random), root / str(number)
        outcome = run(one, random, good, folder)
        outcomes.append(outcome)
        if outcome.fault or given.only is not None:
            damaged = f"  (damaged: {one.damaged})" if one.damaged else ""
            print(
                f"{number}: {outcome.fault or 'fine'}: cooldown {shlex.join(one.arguments)!r:.300}{damaged}", flush=True
            )
        else:
            shutil.rmtree(folder)
    report_of(outcomes, root)


def report_of(outcomes: list[Outcome], root: Path) -> None:
    """Print the counts, and end with 1 if there is a fault."""
    faults = Counter(outcome.fault for outcome in outcomes if outcome.fault)
    codes = Counter(outcome.code for outcome in outcomes)
    print(f"{len(outcomes):,} inputs: {', '.join(f'{count:,} × exit {code}' for code, count in sorted(codes.items()))}")
    print(f"slowest {max(outcome.seconds for outcome in outcomes):.1f} s, ", end="")
    print(f"most memory {max(outcome.megabytes for outcome in outcomes):,.0f} MB")
    print(f"faults: {dict(faults) or 'none'}")
    if faults:
        sys.exit(f"the files of each are in {root}")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
