"""Which samples a model was made from: their digests travel in the bundle, beside the manifest.

`data/samples.parquet` has a row a sample that validate_data let pass, columns `sha256` and `split`, sorted; no name, no
place. It answers, years later, which models saw a sample.
"""

import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample, columns_of
from edgeloop.errors import InputFault
from edgeloop.plugins import missing_extra

SAMPLES_FILE = "data/samples.parquet"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Sighting(Contract):
    """One model that saw a sample."""

    sample: str
    model: str
    subject_digest: str
    split: str


def packed_samples(samples: Iterable[Sample]) -> bytes:
    """The file's bytes; the same samples give the same bytes, in whatever order they come."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    rows = sorted((sample.sha256 or "", sample.split) for sample in samples)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("sha256", "split"))}
    schema = pa.schema([("sha256", pa.string()), ("split", pa.string())])
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, schema=schema), file, compression="zstd")
    return file.getvalue()


def seen_by(bundle: Bundle) -> Mapping[str, str]:
    """The split of every sample by its digest.

    Raises:
        InputFault: The bundle does not say.
    """
    columns = columns_of(bundle.folder / SAMPLES_FILE, ["sha256", "split"])
    return dict(zip(columns["sha256"], columns["split"], strict=True))


def traced(samples: Mapping[str, str], bundles: Iterable[tuple[str, Bundle]]) -> list[Sighting]:
    """Every model among `bundles` that saw one of the samples.

    Args:
        samples: What the user called each, by its sha256.
        bundles: Each with its name.
    """
    found = []
    for model, bundle in bundles:
        seen = seen_by(bundle)
        found += [
            Sighting(sample=name, model=model, subject_digest=bundle.manifest.subject_digest, split=seen[sha256])
            for sha256, name in samples.items()
            if sha256 in seen
        ]
    return found


def named_samples(names: Iterable[str]) -> dict[str, str]:
    """Names by sha256: a name is a digest, or a file whose digest is taken.

    Raises:
        InputFault: It is neither.
    """
    return {_digest(name): name for name in names}


def _digest(name: str) -> str:
    if _SHA256.fullmatch(name.lower()):
        return name.lower()
    if not Path(name).is_file():
        raise InputFault(
            "is no file and no sha256", where=name, fix="name a sample's file or its 64 hexadecimal digits"
        )
    return sha256_of_file(Path(name))
