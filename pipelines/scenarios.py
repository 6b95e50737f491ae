"""Scenarios: overlays on params.yaml, one file each; the first comment line says what it is."""

from pathlib import Path

import yaml

from edgeloop import params as parameters
from edgeloop.files import write_text
from edgeloop.overlays import read_yaml


def descriptions(folder: Path) -> dict[str, str]:
    """Name → first comment line, sorted."""
    return {path.stem: _first_comment(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))}


def _first_comment(text: str) -> str:
    first = text.partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def write(overlay: Path, params_file: Path) -> None:
    """Lays a scenario over the defaults and writes the whole as params.yaml.

    The file is written anew, every value spelled out: its old comments are not kept.

    Raises:
        ParamsFault: The scenario does not fit.
    """
    values = read_yaml(overlay)
    params = parameters.validated(values, where=str(overlay))
    head = f"# Written by `python -m pipelines scenario {overlay.stem}`; docs/params.md explains each field.\n"
    body = yaml.safe_dump(params.set_values(), sort_keys=False, allow_unicode=True, width=120)
    write_text(params_file, head + body)
