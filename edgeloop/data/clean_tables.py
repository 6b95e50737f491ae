"""The clean set of a table: the files that it came in, without the rows that are left out.

A file of which every row stays is linked or copied as it is, any other is written anew by `edgeloop.data.row_copies`;
the columns that are dropped or have a role stay. A file that cannot be read is not there, and of one that cannot be
read to its end there are the rows before.
"""

from collections.abc import Mapping
from pathlib import Path

from edgeloop.canonical import sha256_of_bytes
from edgeloop.contract import parsed
from edgeloop.data.placing import CHANGED, Accepted, placed
from edgeloop.data.row_copies import copy_rows
from edgeloop.data.sources.table import Located, located
from edgeloop.data.table_roles import TableOptions
from edgeloop.data.table_rows import Unreadable
from edgeloop.errors import DataFault
from edgeloop.progress import Advance


def write_clean_table(accepted: Accepted, folder: Path, advance: Advance) -> list[bool]:
    """Writes the files of the accepted rows to `folder`; whether each is a link.

    Raises:
        DataFault: A row is no longer what was judged.
    """
    chosen = parsed(TableOptions, accepted.options, where="prepare_data.options")
    digests = {sample.id: sample.sha256 for sample in accepted.samples}
    kept: dict[Path, set[int]] = {}
    partial: set[Path] = set()
    for found in located(accepted.path, chosen):
        if _is_accepted(found, digests):
            kept.setdefault(found.path, set()).add(found.number)
            advance(1, "")
        else:
            partial.add(found.path)
    root = accepted.path if accepted.path.is_dir() else accepted.path.parent
    files = []
    for source, numbers in kept.items():
        target = folder / source.relative_to(root)
        if source not in partial:
            files.append(placed(source, target))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy_rows(source, target, layout=chosen.layout, kept=numbers)
        except Unreadable as reason:
            raise DataFault(CHANGED, where=str(source), fix="run again when nobody writes to it") from reason
        files.append(False)
    return files


def _is_accepted(found: Located, digests: Mapping[str, str | None]) -> bool:
    """Whether a row stays.

    Raises:
        DataFault: It would, but is another one now.
    """
    sample = found.sample
    if sample.id not in digests or sample.content is None:
        return False
    if sha256_of_bytes(sample.content) != digests[sample.id]:
        raise DataFault(CHANGED, where=str(found.path), fix="run again when nobody writes to it")
    return True
