"""Evidence as LaTeX, Markdown, HTML and CSV: by hand, and with names that would be read as commands."""

import csv
from io import StringIO

import pytest

from cooldown.objectives.plain_text import visible
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.sections import MADE, Missing, answered
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.view import View
from cooldown.search.export.markup import FORMATS, comma_separated, escaped, html, latex, markdown
from cooldown.storage import ExperimentRecord

TABLE = Table(
    (ARM, Column("Loss", Form.LOSS), Column("Interval", Form.DIFFERENCE, ends=True), Column("Said")),
    [("adam", 0.25, (-0.5, 0.125), "a_b & 5 %"), ("momentum+cosine", None, None, "x|y")],
    "Losses.",
    strong=frozenset({0}),
    note="A note.",
)


def test_latex() -> None:
    assert (
        latex(["It is 3 % better.", TABLE])
        == r"""% In the preamble: \usepackage{booktabs}

It is 3 \% better.

\begin{table}
\centering
\caption{Losses.}
\begin{tabular}{lrrl}
\toprule
Arm & Loss & Interval & Said \\
\midrule
\textbf{adam} & \textbf{0.2500} & \textbf{[$-$0.5000, +0.1250]} & \textbf{a\_b \& 5 \%} \\
momentum+cosine & -- & -- & x$|$y \\
\bottomrule
\end{tabular}
\par A note.
\end{table}
"""
    )


def test_markdown() -> None:
    assert (
        markdown(["First of *all*.", TABLE])
        == r"""First of \*all\*.

Losses.

| Arm | Loss | Interval | Said |
| :-- | --: | --: | :-- |
| **adam** | **0.2500** | **\[−0.5000, +0.1250\]** | **a\_b & 5 %** |
| momentum+cosine | – | – | x\|y |

A note.
"""
    )


def test_html() -> None:
    narrow = Table((ARM, Column("Loss < 1", Form.LOSS)), [("<b>", 0.25), ("adam", None)], strong=frozenset({0}))
    right, left = 'style="text-align: right"', 'style="text-align: left"'
    assert (
        html(["1 < 2 & 3", narrow])
        == f"""<p>1 &lt; 2 &amp; 3</p>
<table>
<thead><tr><th {left}>Arm</th><th {right}>Loss &lt; 1</th></tr></thead>
<tbody>
<tr><th {left}>&lt;b&gt;</th><th {right}>0.2500</th></tr>
<tr><td {left}>adam</td><td {right}>–</td></tr>
</tbody>
</table>
"""
    )


def test_csv_has_the_values_and_no_sentences() -> None:
    assert (
        comma_separated(["A sentence.", TABLE, TABLE.head(0)])
        == """Arm,Loss,Interval from,Interval to,Said
adam,0.25,-0.5,0.125,a_b & 5 %
momentum+cosine,,,,x|y

Arm,Loss,Interval from,Interval to,Said
"""
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("$5 #1 ~ ^", r"\$5 \#1 \textasciitilde{} \textasciicircum{}"),
        ("−1 … ∞", r"$-$1 \dots{} $\infty$"),
        ("β < 0.9", r"$\beta$ $<$ 0.9"),
    ],
)
def test_nothing_is_a_command_of_latex(text: str, said: str) -> None:
    assert escaped(text) == said


def test_a_row_that_begins_with_a_bracket_is_no_argument_of_the_one_above() -> None:
    rows = latex([Table((Column("Range"), Column("n", Form.COUNT)), [("[0, 1]", 3)])])
    assert "{[0, 1]} & 3 \\\\" in rows


@pytest.mark.parametrize("format", FORMATS)
def test_every_section_of_an_experiment(format: str, small_record: ExperimentRecord) -> None:
    view = View(small_record)
    for made in (answered, *MADE.values()):
        evidence = made(view)
        tables = [block for block in evidence if isinstance(block, Table)]
        text = FORMATS[format](evidence)
        # Fonts of LaTeX have none of these; a text in another script would be the user's own.
        assert format != "latex" or text.isascii()
        assert text.count("\\begin{tabular}") == (len(tables) if format == "latex" else 0)
        if format == "csv":
            rows = list(csv.reader(StringIO(text)))
            assert len([row for row in rows if row]) == sum(len(table) + 1 for table in tables)


def test_what_is_missing_is_said() -> None:
    assert markdown([Missing("There are no trials yet.")]) == "There are no trials yet.\n"


@pytest.mark.parametrize("format", FORMATS)
def test_texts_of_others_steer_nothing(format: str) -> None:
    hostile = "=cmd\x1b[31m\u202e"
    text = FORMATS[format]([hostile, Table((Column("Arm"), Column("n", Form.COUNT)), [(hostile, 3)], hostile)])
    assert visible(text) == text
    assert "x1b" in text
    assert format != "csv" or "'=cmd" in text
