"""Files of many kinds are the same table: encodings, separators, line ends, compressions, Parquet and Excel."""

import builtins
import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError

TABLE = pd.DataFrame(
    {"größe, cm": np.arange(40) + 0.5, "ort": ["Köln", "Bonn"] * 20, "y": ["ja", "nein"] * 20}
)  # fmt: skip


def read(path: Path, **options: Any) -> tasks.ArrayTask:
    return tasks.from_table(path, **{"target": "y", **options})


@pytest.fixture
def expected(tmp_path: Path) -> str:
    TABLE.to_csv(tmp_path / "plain.csv", index=False)
    return read(tmp_path / "plain.csv").fingerprint()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts(encoding: str, separator: str, end: str, expected: str, tmp_path: Path) -> None:
    text = TABLE.to_csv(index=False, sep=separator, lineterminator=end)
    mark = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "t.csv").write_bytes((mark + text).encode(encoding))
    assert read(tmp_path / "t.csv").fingerprint() == expected


@pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;;;\n", "\ufeffsep=;\n"])
def test_a_first_line_that_names_the_separator(first: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(first + TABLE.to_csv(index=False, sep=";"))
    assert read(tmp_path / "t.csv").fingerprint() == expected


def test_separators_in_quotes_and_in_cells_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        '"a;b;c",y\n' + "".join(f'"{row % 4};x;y;{row % 4}",{row % 2}\n' for row in range(40))
    )
    assert [column.name for column in read(tmp_path / "t.csv", categories="a;b;c").columns] == ["y", "a;b;c"]
    (tmp_path / "t.csv").write_text("price, EUR;y\n" + "".join(f"{row},5;{row % 2}\n" for row in range(40)))
    assert read(tmp_path / "t.csv").data[0][:2].tolist() == [[0.5], [1.5]]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_texts(compress: Any, expected: str, tmp_path: Path) -> None:
    suffix = {"gzip": "gz", "bz2": "bz2", "lzma": "xz"}[compress.__module__.strip("_")]
    path = tmp_path / f"houses.csv.{suffix}"
    path.write_bytes(compress(TABLE.to_csv(index=False).encode()))
    task = read(path)
    assert (task.fingerprint(), task.name) == (expected, "houses")
    assert tasks.origin(str(path)) == "table"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"houses\.csv\..*: cannot be decompressed"):
        read(path)
    path.write_bytes(b"a,y\n1,2\n")
    with pytest.raises(InputError, match="cannot be decompressed"):
        read(path)


def test_excel(expected: str, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "t.xlsx"
    TABLE.to_excel(path, index=False)
    assert read(path).fingerprint() == expected
    with pd.ExcelWriter(path) as book:
        for sheet in ("one", "two"):
            TABLE.to_excel(book, sheet_name=sheet, index=False)
    with pytest.raises(InputError, match=r"has 2 sheets with cells \(one, two\)"):
        read(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="is not an Excel file"):
        read(path)


def test_excel_cells_of_several_types(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    cells = {"a": [1.5, "n/a", 3, None] * 10, "b": ["1,5", "2,5"] * 20, "flag": [True, False] * 20, "y": [0, 1] * 20}
    pd.DataFrame(cells).to_excel(tmp_path / "t.xlsx", index=False)
    task = read(tmp_path / "t.xlsx")
    np.testing.assert_array_equal(task.data[0][:4], [[1.5, 1.5, 1], [np.nan, 2.5, 0], [3, 1.5, 1], [np.nan, 2.5, 0]])
    assert task.categorical == (2,)


def test_excel_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04")
    whole = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("openpyxl"):
            raise ImportError(name)
        return whole(name, *rest, **more)

    monkeypatch.setattr(pd, "read_excel", lambda *_, **__: without("openpyxl"))
    with pytest.raises(InputError, match=r"need the package openpyxl: pip install 'cooldown\[xlsx\]'"):
        read(tmp_path / "t.xlsx")


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    TABLE.set_index("ort").to_parquet(path)
    assert {column.name for column in read(path).columns} == {"y", "ort", "größe, cm"}
    TABLE.set_index(["y", "ort"]).to_parquet(path)
    assert {column.name for column in read(path).columns} == {"y", "ort", "größe, cm"}
    TABLE.set_index(np.arange(40) + 100).to_parquet(path)
    assert {column.name for column in read(path).columns} == {"y", "ort", "größe, cm"}


def test_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"{row},{row * 3 % 7},{row % 2}\n" for row in range(40))
    path.write_text("a,a,y\n" + rows)
    with pytest.raises(InputError, match=r"column 'a' is 2 times in the header: rename one, or .* --drop"):
        read(path)
    path.write_text(",b,y\n" + rows)
    with pytest.raises(InputError, match=r'column 1 has no name .* leave it out with --drop ""'):
        read(path)
    assert read(path, drop="").data[0][:3].ravel().tolist() == [0, 3, 6]
    path.write_text("a,a,b,y\n" + "".join(f"1,2,{row * 3 % 7},{row % 2}\n" for row in range(40)))
    assert read(path, drop=["a"]).data[0][:3].ravel().tolist() == [0, 3, 6]
    path.write_text(" b , y \n" + "".join(f"{row}, {row % 2}\n" for row in range(40)))
    assert read(path).data[0].shape == (40, 1)


def test_text_in_an_older_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.to_csv(index=False).encode("cp1252"))
    with pytest.raises(InputError, match="is not text in UTF-8: byte 3 is 0xf6; save it as UTF-8"):
        read(tmp_path / "t.csv")
