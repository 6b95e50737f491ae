"""Manifests outside of bundles, to be kept in Git: `manifests/lineage/<model>/<version>.yaml`."""

from pathlib import Path

from edgeloop import references
from edgeloop.errors import ModelFault
from edgeloop.files import copy_file, whole_file
from edgeloop.lineage.manifest import LINEAGE_FILE

SHORT_DIGEST = 12
"""Hex digits of the subject digest that name a model which has no version, because no registry was asked."""


def exported(text: str, folder: Path) -> Path:
    """Copies the manifest of the bundle that `text` names, byte for byte, below `folder`; returns the copy.

    Args:
        text: See `edgeloop.references`.
        folder: Gets a folder for each model.

    Raises:
        InputFault, ModelFault, ServerFault: As `references.opened`.
        NotWritable, DiskFull: The place cannot be written.
    """
    with references.opened(text) as bundle:
        name, digest = bundle.manifest.name, bundle.manifest.subject_digest
        if Path(name).name != name or name.startswith("."):
            raise ModelFault(f"has a name that is no folder's ({name!r})", where=text, fix="register it again")
        version = references.version_of(text, digest) or digest.partition(":")[2][:SHORT_DIGEST]
        target = folder / name / f"{version}.yaml"
        with whole_file(target) as partial:
            copy_file(bundle.folder / LINEAGE_FILE, partial)
        return target
