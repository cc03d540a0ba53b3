"""Evidence as text to paste: tables in LaTeX, Markdown, HTML or CSV, with the sentences around them.

CSV has the values themselves, the others what a reader of the terminal sees.
"""

import csv
from collections.abc import Callable, Sequence
from html import escape
from io import StringIO
from typing import Any

from cooldown.objectives.plain_text import cell as for_spreadsheet
from cooldown.objectives.plain_text import visible
from cooldown.search.evidence.numbers import MINUS, MISSING, Form
from cooldown.search.evidence.sections import Block, Missing
from cooldown.search.evidence.table import Column, Table, ends_of
from cooldown.search.spec.arms import spoken

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': r"\textquotedbl{}",
    MINUS: "$-$",
    MISSING: "--",
    "—": "---",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "→": r"$\to$",
    "²": r"$^2$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "λ": r"$\lambda$",
    "μ": r"$\mu$",
    "θ": r"$\theta$",
}
"""What LaTeX reads as a command, and signs that its usual fonts lack, as LaTeX writes them."""

PLAIN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|"})
"""What Markdown reads as markup, with the mark that makes it text."""


def latex(blocks: Sequence[Block]) -> str:
    """Paragraphs and `table`s in the style of booktabs."""
    parts = [_latex_table(block) if isinstance(block, Table) else escaped(_text(block)) for block in blocks]
    needs = ["% In the preamble: \\usepackage{booktabs}"] if any(isinstance(block, Table) for block in blocks) else []
    return "\n\n".join([*needs, *parts]) + "\n"


def markdown(blocks: Sequence[Block]) -> str:
    """Paragraphs and tables as GitHub and notebooks show them."""
    parts = [_markdown_table(block) if isinstance(block, Table) else _text(block).translate(PLAIN) for block in blocks]
    return visible("\n\n".join(parts) + "\n")


def comma_separated(blocks: Sequence[Block]) -> str:
    """The values of the tables, with an empty line between two of them; an interval is two columns, its ends."""
    return "\n".join(_csv_table(block) for block in blocks if isinstance(block, Table))


def html(blocks: Sequence[Block]) -> str:
    """Paragraphs and tables without a style of their own, as a notebook shows them."""
    parts = [_html_table(block) if isinstance(block, Table) else f"<p>{escape(_text(block))}</p>" for block in blocks]
    return visible("\n".join(parts) + "\n")


FORMATS: dict[str, Callable[[Sequence[Block]], str]] = {
    "latex": latex,
    "markdown": markdown,
    "html": html,
    "csv": comma_separated,
}


def escaped(text: str) -> str:
    """A text in LaTeX."""
    return "".join(SIGNS.get(sign, sign) for sign in visible(text))


def _text(block: str | Missing) -> str:
    return block.text if isinstance(block, Missing) else block


def _cells(table: Table) -> list[list[str]]:
    """What a reader sees in each row; arms by the names that sentences have for them."""
    return [
        [spoken(text) if column.form is Form.ARM else text for column, text in zip(table.columns, row, strict=True)]
        for row in table.texts()
    ]


def _headings(table: Table) -> list[str]:
    return [spoken(column.heading) for column in table.columns]


def _latex_table(table: Table) -> str:
    rows = [[escaped(cell) for cell in row] for row in _cells(table)]
    for place in table.strong:
        rows[place] = [rf"\textbf{{{cell}}}" for cell in rows[place]]
    lines = [
        r"\begin{table}",
        r"\centering",
        *([rf"\caption{{{escaped(table.reading)}}}"] if table.reading else []),
        rf"\begin{{tabular}}{{{''.join('r' if column.form.is_number else 'l' for column in table.columns)}}}",
        r"\toprule",
        _latex_row([escaped(title) for title in _headings(table)]),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
        *([rf"\par {escaped(table.note)}"] if table.note else []),
        r"\end{table}",
    ]
    return "\n".join(lines)


def _latex_row(cells: Sequence[str]) -> str:
    # A bracket after the end of a row would be read as an argument of it.
    first, *others = cells
    return " & ".join([f"{{{first}}}" if first.startswith("[") else first, *others]) + r" \\"


def _markdown_table(table: Table) -> str:
    rows = [[cell.translate(PLAIN) for cell in row] for row in _cells(table)]
    for place in table.strong:
        rows[place] = [f"**{cell}**" for cell in rows[place]]
    rules = ["--:" if column.form.is_number else ":--" for column in table.columns]
    lines = [[title.translate(PLAIN) for title in _headings(table)], rules, *rows]
    parts = [table.reading.translate(PLAIN), "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join(filter(None, [*parts, table.note.translate(PLAIN)]))


def _html_table(table: Table) -> str:
    sides = ["right" if column.form.is_number else "left" for column in table.columns]

    def row(cells: Sequence[str], tag: str) -> str:
        set_ = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in set_)

    lines = [
        "<table>",
        *(
            [f'<caption style="caption-side: bottom; text-align: left">{escape(table.reading)}</caption>']
            if table.reading
            else []
        ),
        f"<thead><tr>{row(_headings(table), 'th')}</tr></thead>",
        "<tbody>",
        *(
            f"<tr>{row(cells, 'th' if place in table.strong else 'td')}</tr>"
            for place, cells in enumerate(_cells(table))
        ),
        "</tbody>",
        "</table>",
        *([f"<p>{escape(table.note)}</p>"] if table.note else []),
    ]
    return "\n".join(lines)


def _csv_table(table: Table) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([title for column in table.columns for title in _csv_titles(column)])
    for row in table.rows:
        values = [value for column, cell in zip(table.columns, row, strict=True) for value in _csv(column, cell)]
        writer.writerow([for_spreadsheet(value) if isinstance(value, str) else value for value in values])
    return text.getvalue()


def _csv_titles(column: Column) -> tuple[str, ...]:
    return ends_of(column) if column.ends else (column.heading,)


def _csv(column: Column, cell: Any) -> tuple[Any, ...]:
    return (cell,) if not column.ends else cell or (None, None)
