"""The JSON schema of lineage.yaml: `python -m edgeloop.lineage.schema` writes it."""

import json
from pathlib import Path

from edgeloop.files import write_text
from edgeloop.lineage.code import project_root
from edgeloop.lineage.manifest import Manifest

FILE = Path("manifests/lineage/schema.json")
COMMAND = "python -m edgeloop.lineage.schema"


def text() -> str:
    """The schema as indented JSON with sorted keys."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Manifest.model_json_schema(mode="serialization"),
        "title": "edgeloop lineage manifest",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = project_root() / FILE
    write_text(target, text())
    print(target)
