"""Exported programs whose batches several devices share: virtual ones of a CPU, in a process that has two."""

import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import parity
import pytest
from numpy.typing import NDArray

from cooldown.storage import ExperimentRecord

SUFFIXES = {"optax": "npz", "keras": "keras"}
"""Of the networks that the programs save."""

DRIVER = f"""
import runpy, sys
def run(format, devices):
    sys.argv = [format, "--devices", devices, "--save", format + devices + "." + {SUFFIXES!r}[format]]
    try:
        return runpy.run_path("in_" + format + ".py", run_name="__main__")
    except SystemExit as end:
        print(end, file=sys.stderr)
run("optax", "1")
program = run("optax", "2")
split = program["split_over"](2)
print("optax parts:", *(len(split(program["np"].zeros((rows, 3)))[0].addressable_shards[0].data) for rows in (4, 3)))
run("optax", "3")
run("keras", "1")
program = run("keras", "2")
print("keras parts:", 4 // program["keras"].distribution.distribution().device_mesh.devices.size)
run("keras", "3")
"""
"""Each program trains with one device, with two, of which the first has two of four rows and all of three, and with a
third that there is not.
"""


def arrays(saved: Path) -> list[NDArray[np.float64]]:
    """The network that a program has saved."""
    if saved.suffix == ".npz":
        with np.load(saved) as parts:
            return [parts[name] for name in parts.files if name != "preprocessing"]
    found: list[NDArray[np.float64]] = []
    with zipfile.ZipFile(saved) as archive, h5py.File(BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(lambda _, each: found.append(np.array(each)) if isinstance(each, h5py.Dataset) else None)
    return found


@pytest.mark.processes
def test_two_devices_equal_one_to_rounding(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """With batch normalization, and a smaller last batch. Rows that they cannot share equally, each has."""
    strategies = {"batch_norm": True, "weight_decay": 0.01, "batch_size": 16, "epochs": 2}
    texts = []
    for format in SUFFIXES:
        text = str(parity.written(iris_record, parity.config("adam", "cosine", strategies=strategies), format).content)
        (tmp_path / f"in_{format}.py").write_text(text, encoding="utf-8")
        texts.append(text)
    parity.assert_clean(texts, tmp_path)
    framework = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], env=os.environ | framework, cwd=tmp_path, capture_output=True, text=True
    )
    refused = "--devices 3: must be from 1 to 2, the devices that JAX has here"
    assert [line for line in done.stderr.splitlines() if "--devices" in line] == [refused] * 2, done.stderr
    assert [line for line in done.stdout.splitlines() if "parts" in line] == ["optax parts: 2 3", "keras parts: 2"]
    for format, suffix in SUFFIXES.items():
        alone, shared = (arrays(tmp_path / f"{format}{devices}.{suffix}") for devices in (1, 2))
        assert len(alone) == len(shared) >= 6
        for one, two in zip(alone, shared, strict=True):
            np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"), [("0", "0 should be a whole number of at least 1"), ("x", "x should be")]
)
def test_what_is_no_number_of_devices(
    given: str, message: str, iris_record: ExperimentRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    text = str(parity.written(iris_record, parity.config("adam", "cosine"), "optax").content)
    with pytest.raises(SystemExit):
        parity.run_here(text, "--devices", given)
    assert message in capsys.readouterr().err
