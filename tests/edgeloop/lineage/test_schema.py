import json
from pathlib import Path

import jsonschema
import pytest

from edgeloop.lineage import schema
from edgeloop.lineage.example import example_bundle


def test_the_schema_in_manifests_is_current(root: Path) -> None:
    written = root / schema.FILE
    assert written.is_file() and written.read_text() == schema.text(), f"run: {schema.COMMAND}"


def test_the_schema_accepts_a_bundles_lineage(tmp_path: Path) -> None:
    values = example_bundle(tmp_path / "bundle").manifest.values()
    jsonschema.Draft202012Validator(json.loads(schema.text())).validate(values)


def test_the_schema_refuses_a_digest_that_is_none(tmp_path: Path) -> None:
    values = {**example_bundle(tmp_path / "bundle").manifest.values(), "subject_digest": "md5:1"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(schema.text())).validate(values)
