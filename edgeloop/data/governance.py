"""What the owner of a dataset says of its use, and what follows: data that must not be learned from is refused.

The words travel in the dataset's card into the lineage manifest. An erasure list names samples that somebody has taken
back: a text file with the sha256 of one sample a line; what follows a `#` is for people.
"""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import DataFault, GateRefused, translated

if TYPE_CHECKING:
    from edgeloop.data.dataset import Sample

_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_LIST_BYTES = 256 << 20
"""A longer erasure list is no list of samples."""


class Governance(Contract):
    """The use that a dataset may be put to; what is not known is left out."""

    origin: str = Field(default="", max_length=1000, description="where the data comes from: a name or an address")
    owner: str = Field(default="", max_length=200, description="who answers for it")
    licence: str = Field(default="", max_length=200, description="an SPDX identifier where there is one")
    consent: str = Field(default="", max_length=200, description="what the people in it agreed to")
    regions: tuple[str, ...] = Field(default=(), description="where it was taken, or where it may be used")
    retain_until: date | None = Field(default=None, description="last day of its use, YYYY-MM-DD; null is no limit")
    for_training: bool = Field(default=True, description="false: it may be looked at, and no model learns from it")


def refuse_forbidden(governance: Governance, *, today: date, where: str) -> None:
    """Refuses data that may not be learned from.

    Raises:
        GateRefused: Its retention has ended, or its owner has said that it is not for training.
    """
    if governance.retain_until is not None and today > governance.retain_until:
        raise GateRefused(
            f"was to be kept until {governance.retain_until}, and today is {today}",
            where=where,
            fix="delete it, or have its owner extend prepare_data.governance.retain_until",
        )
    if not governance.for_training:
        raise GateRefused(
            "is not for training (prepare_data.governance.for_training)", where=where, fix="choose another dataset"
        )


def refuse_erased(samples: Iterable["Sample"], erased: Path) -> None:
    """Refuses samples that an erasure list names.

    Raises:
        GateRefused: One of them is on the list; the first and their number are named.
        DataFault: The list holds something else than digests.
    """
    taken_back = read_erased(erased)
    found = sorted(sample.id for sample in samples if sample.sha256 in taken_back)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise GateRefused(
            f"names {found[0]}{more}", where=str(erased), fix="take them out of the dataset and run prepare_data again"
        )


def read_erased(path: Path) -> frozenset[str]:
    """The digests on an erasure list.

    Raises:
        InputFault: There is no such file.
        DataFault: A line is no sha256.
    """
    with translated(path):
        if path.stat().st_size > MAX_LIST_BYTES:
            raise DataFault(f"is larger than {MAX_LIST_BYTES} bytes", where=str(path), fix="split it")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    digests = [(number, line.partition("#")[0].strip().lower()) for number, line in enumerate(lines, start=1)]
    for number, digest in digests:
        if digest and not _SHA256.fullmatch(digest):
            raise DataFault(f"line {number} is no sha256", where=str(path), fix="write 64 hexadecimal digits a line")
    return frozenset(digest for _, digest in digests if digest)
