"""One byte string for one value: canonical JSON and the digests that stand on it.

Canonical JSON is UTF-8, keys sorted, no white space, no NaN or infinity. A digest is written `sha256:<64 hex>`; a
field named `sha256` holds the bare 64 hex digits of a file's bytes.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_BLOCK_BYTES = 1 << 20


def canonical_json(value: Any) -> bytes:
    """`value` (JSON types only) as canonical JSON.

    Raises:
        ValueError: NaN or infinity.
        TypeError: Not a JSON type.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(value: Any) -> str:
    """The digest of a JSON value, over its canonical form."""
    return f"sha256:{hashlib.sha256(canonical_json(value)).hexdigest()}"


def sha256_of_bytes(content: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """64 hex digits over the file's bytes, read in blocks."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sha.update(block)
    return sha.hexdigest()


def digest_of_files(root: Path, paths: Iterable[Path]) -> str:
    """One digest over many files: their paths relative to `root` and their bytes, whatever the order given."""
    return digest_of({path.relative_to(root).as_posix(): sha256_of_file(path) for path in paths})
