"""The tables whose rows are links, as the pages send them to the browser."""

import json
from typing import Any


def linked(app: Any) -> list[dict[str, Any]]:
    """The data of each table whose rows are links."""
    return [
        json.loads(each.proto.mixed.json if each.proto.WhichOneof("data") == "mixed" else each.proto.json)
        for each in app.get("bidi_component")
    ]


def listed(app: Any) -> dict[str, dict[str, Any]]:
    """The rows of the list of experiments, by name."""
    (table,) = linked(app)
    titles = [column["title"] for column in table["columns"]]
    return {row["cells"][0]: dict(zip(titles, row["cells"], strict=True)) for row in table["rows"]}
