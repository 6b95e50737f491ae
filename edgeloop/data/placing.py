"""Files of a dataset under another folder: the same bytes, of a picture that is still what was judged."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeloop.canonical import sha256_of_file
from edgeloop.data.dataset import Sample, local_path
from edgeloop.errors import DataFault
from edgeloop.files import copy_file

CHANGED = "has changed meanwhile"


@dataclass(frozen=True)
class Accepted:
    """What is to be there of a dataset.

    Args:
        samples: That passed.
        path: Of the whole dataset, absolute.
        options: Of its source.
    """

    samples: Sequence[Sample]
    path: Path
    options: Mapping[str, Any]


def unchanged(sample: Sample) -> Path:
    """The file of a sample.

    Raises:
        DataFault: It is no longer what was judged.
    """
    source = local_path(sample.uri)
    assert source is not None
    if sha256_of_file(source) != sample.sha256:
        raise DataFault(CHANGED, where=str(source), fix="run again when nobody writes to it")
    return source


def placed(source: Path, target: Path) -> bool:
    """Puts a file where `target` says: True for a hard link, False for a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.resolve()  # a link within the dataset becomes the file that it leads to
    try:
        os.link(content, target)
    except OSError:  # another disk, a file system without hard links, a file of somebody else
        copy_file(content, target)
        shutil.copystat(content, target)
        return False
    return True
