"""Evidence that is added to a bundle after it was signed: one file a statement, each with a signature of its own.

    evidence/<kind>-<first 16 hex digits of the payload's sha256>.json

The file is the DSSE envelope exactly as `add_statement` writes it: JSON and base64 allow several spellings of one
value, the signature covers only the value, and whatever it does not cover may not vary. The same statement said twice
is one file.
"""

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_bytes
from edgeloop.contract import Contract
from edgeloop.errors import DataFault, InputFault, ModelFault, translated
from edgeloop.files import write_text
from edgeloop.signing import opened_statement, signed_statement

FOLDER = Path("evidence")
"""Relative to the bundle."""

KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_USE_NOT = "do not use this evidence"


class Statement(Contract):
    """A statement about the subject of a bundle."""

    file: str = Field(description="relative to the bundle")
    kind: str = Field(description="what it is about, such as `benchmark`")
    signed_by: str = Field(description="the trusted key's file")
    body: dict[str, Any]


def add_statement(bundle: Bundle, kind: str, body: dict[str, Any], *, key: Path) -> Path:
    """Signs a statement about the bundle's subject and adds it to evidence/; returns its file.

    Args:
        bundle: Its signature stays as it is.
        kind: Name of the evidence, such as `benchmark`.
        body: JSON types.
        key: Private key, PEM.

    Raises:
        InputFault: `kind` is no name, or `key` no private key.
        NotWritable, DiskFull: The bundle cannot be written.
    """
    if not KIND.fullmatch(kind):
        raise InputFault("is no kind of evidence", where=repr(kind), fix="use a-z, 0-9 and _, such as benchmark")
    envelope = signed_statement(bundle.manifest.subject_digest, kind, body, key=key)
    path = bundle.folder / FOLDER / _name(kind, b64decode(envelope["payload"]))
    write_text(path, _text(envelope))
    return path


def body_in(file: Path) -> dict[str, Any]:
    """The body of a statement from a JSON file.

    Raises:
        InputFault: There is no such file.
        DataFault: It holds no JSON object.
    """
    with translated(file):
        content = file.read_bytes()
    try:
        body = json.loads(content, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise DataFault("is not JSON", where=str(file), fix="give a file with one JSON object") from error
    if not isinstance(body, dict):
        raise DataFault("is no JSON object", where=str(file), fix="give a file with one JSON object")
    return body


def read_statement(path: Path, keys: Sequence[Path], *, subject_digest: str) -> Statement:
    """The statement in one file of evidence/.

    Args:
        path: The file.
        keys: Public keys to trust.
        subject_digest: Of the bundle.

    Raises:
        ModelFault: It is no statement, not by one of `keys`, about another subject, or not as it was written.
        NotWritable, EnvironmentFault: It cannot be read.
    """
    where = str(path)
    if path.is_symlink() or not path.is_file():
        raise ModelFault("is no plain file", where=where, fix=_USE_NOT)
    with translated(path):
        content = path.read_bytes()
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelFault("is not a signed statement", where=where, fix=_USE_NOT) from error
    said = opened_statement(envelope, keys, where=where)
    if said.subject_digest != subject_digest:
        raise ModelFault("is about another subject", where=where, fix=_USE_NOT)
    if content != _text(envelope).encode() or path.name != _name(said.kind, said.payload):
        raise ModelFault("is not the file that was written with this statement", where=where, fix=_USE_NOT)
    return Statement(file=f"{FOLDER.name}/{path.name}", kind=said.kind, signed_by=str(said.key), body=said.body)


def _name(kind: str, payload: bytes) -> str:
    return f"{kind}-{sha256_of_bytes(payload)[:16]}.json"


def _text(envelope: dict[str, Any]) -> str:
    """An envelope as its file; of what else was put into it nothing is left."""
    parts = {name: envelope[name] for name in ("payloadType", "payload")}
    signatures = [{"sig": entry["sig"]} for entry in envelope["signatures"]]
    return json.dumps({**parts, "signatures": signatures[:1]}, indent=2) + "\n"


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
