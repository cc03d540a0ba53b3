"""JSON: the configuration with its provenance; `TrainConfig.from_json` and `cooldown train` read it back."""

from json import dumps

from cooldown.objectives.plain_text import visible_in_json
from cooldown.search.export.document import document
from cooldown.search.export.format import Chosen, ConfigFormat, Exported


def write(chosen: Chosen) -> Exported:
    """The document, indented."""
    text = dumps(document(chosen), indent=2, ensure_ascii=False, allow_nan=False)
    return Exported(visible_in_json(text) + "\n")


json = ConfigFormat("json", ".json", "the configuration with its provenance, which Cooldown can read", write, "json")
