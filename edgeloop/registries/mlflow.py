"""MLflow's model registry: an embedded SQLite database, or any server, as `edgeloop.tracking` finds it.

A push is a run of its own with the bundle among its artifacts; the run of the training is its parent. MLflow's flavours
are not used: they change the bytes of a model. The version is made last, when what the server gives back was verified,
with the subject's digest among its tags from the start: after whatever was killed, a second push ends with one version.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import InputFault, ModelFault
from edgeloop.files import whole_folder
from edgeloop.lineage.manifest import LINEAGE_FILE
from edgeloop.mlflow_client import client, server_faults
from edgeloop.registries import RegisteredVersion, refuse_moved, refuse_odd_alias, unknown_version
from edgeloop.tracking import tracked_run

SUBJECT_TAG, LINEAGE_TAG, TRAINING_TAG, PARENT_TAG = (
    "subject_digest", "lineage_sha256", "training_run_id", "mlflow.parentRunId",
)  # fmt: skip
ARTIFACT_FOLDER = "bundle"
_PAGE = 200


class MlflowRegistry:
    """See the module; the verbs are those of `edgeloop.registries.Registry`."""

    def push(self, bundle: Bundle, name: str, *, tags: Mapping[str, str]) -> RegisteredVersion:
        """See the protocol."""
        opened = client()
        if (existing := self.find(name, bundle.manifest.subject_digest)) is not None:
            _verify(opened, existing)
            return existing
        with tracked_run("register") as run:
            run_id = run.record().run_id
            source = _stored(opened, bundle, run_id=run_id, training=tags.get(TRAINING_TAG))
        lineage = sha256_of_file(bundle.folder / LINEAGE_FILE)
        all_tags = {**tags, SUBJECT_TAG: bundle.manifest.subject_digest, LINEAGE_TAG: lineage}
        with server_faults():
            _create_name(opened, name)
            made = opened.create_model_version(name, source, run_id=run_id, tags=all_tags)
        return self._only(opened, name, bundle.manifest.subject_digest, made=str(made.version))

    def _only(self, opened: Any, name: str, subject_digest: str, *, made: str) -> RegisteredVersion:
        """The oldest version of the subject; the one just `made` goes, if another push was faster."""
        first = self.find(name, subject_digest)
        if first is None:
            raise ModelFault("the registry lost the version", where=f"{name} {made}", fix="register it again")
        if first.version != made:
            with server_faults():
                opened.delete_model_version(name, made)
        return first

    def promote(self, name: str, alias: str, version: str, *, expected: str | None = None) -> None:
        """See the protocol."""
        known = {one.version: one for one in self.versions(name)}
        if version not in known:
            raise unknown_version(name, version)
        refuse_odd_alias(name, alias)
        now = next((one.version for one in known.values() if alias in one.aliases), "")
        if now != version:
            refuse_moved(name, alias, now=now, expected=expected)
            with server_faults():
                client().set_registered_model_alias(name, alias, version)

    def versions(self, name: str) -> tuple[RegisteredVersion, ...]:
        """See the protocol."""
        opened = client()
        with server_faults():
            aliases = _aliases(opened, name)
            found = [_version(version, aliases) for version in _search(opened, name)]
        return tuple(sorted(found, key=lambda one: int(one.version)))

    def find(self, name: str, subject_digest: str) -> RegisteredVersion | None:
        """See the protocol."""
        return next((version for version in self.versions(name) if version.subject_digest == subject_digest), None)

    def fetch(self, name: str, ref: str, folder: Path) -> Bundle:
        """See the protocol."""
        wanted = next((one for one in self.versions(name) if ref == one.version or ref in one.aliases), None)
        if wanted is None:
            raise unknown_version(name, ref)
        opened = client()
        with whole_folder(folder) as partial:
            fetched = _downloaded(opened, _source(opened, wanted), partial)
        return Bundle(folder=folder, manifest=fetched.manifest)


def _stored(opened: Any, bundle: Bundle, *, run_id: str | None, training: str | None) -> str:
    """Uploads the bundle into the run, reads it back, and returns its address.

    Raises:
        ModelFault: What came back is not what was sent.
    """
    # a run that was adopted may see several pushes: the content in the folder's name keeps them apart
    lineage = sha256_of_file(bundle.folder / LINEAGE_FILE)
    place = f"{ARTIFACT_FOLDER}-{lineage[:16]}"
    with server_faults():
        if training not in (None, run_id):
            opened.set_tag(run_id, PARENT_TAG, training)
        opened.log_artifacts(run_id, str(bundle.folder), place)
    source = f"runs:/{run_id}/{place}"
    with tempfile.TemporaryDirectory(prefix="edgeloop-") as folder:
        _downloaded(opened, source, Path(folder))
        if sha256_of_file(Path(folder) / LINEAGE_FILE) != lineage:
            raise ModelFault(f"the registry gave back another {LINEAGE_FILE}", where=source, fix="register it again")
    return source


def _verify(opened: Any, version: RegisteredVersion) -> None:
    """Reads a version back.

    Raises:
        ModelFault: It is not whole.
    """
    with tempfile.TemporaryDirectory(prefix="edgeloop-") as folder:
        _downloaded(opened, _source(opened, version), Path(folder))


def _source(opened: Any, version: RegisteredVersion) -> str:
    with server_faults():
        return str(opened.get_model_version_download_uri(version.name, version.version))


def _downloaded(opened: Any, source: str, folder: Path) -> Bundle:
    """The bundle at `source` in `folder`, which is empty.

    Raises:
        InputFault: It is no bundle.
        ModelFault: It is not whole.
    """
    run_id, _, place = source.removeprefix("runs:/").partition("/")
    if not source.startswith("runs:/") or not place:
        raise InputFault("was not registered by edgeloop", where=source, fix="use another version")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
        with server_faults():
            downloaded = Path(opened.download_artifacts(run_id, place, scratch))
        for path in downloaded.iterdir():
            path.rename(folder / path.name)
    return Bundle.open(folder)


def _create_name(opened: Any, name: str) -> None:
    """Makes the registered model unless it is there; another process may make it at the same moment."""
    from mlflow.exceptions import MlflowException

    try:
        opened.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _aliases(opened: Any, name: str) -> dict[str, str]:
    """Alias → version; empty for an unknown name."""
    from mlflow.exceptions import MlflowException

    try:
        model = opened.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {alias: str(version) for alias, version in dict(model.aliases).items()}


def _search(opened: Any, name: str) -> Iterator[Any]:
    """All versions that MLflow has of `name`."""
    token = None
    while True:
        page = opened.search_model_versions(f"name = '{name}'", max_results=_PAGE, page_token=token)
        yield from page
        if not (token := page.token):
            return


def _version(version: Any, aliases: Mapping[str, str]) -> RegisteredVersion:
    number = str(version.version)
    return RegisteredVersion(
        name=version.name,
        version=number,
        uri=f"models:/{version.name}/{number}",
        subject_digest=version.tags.get(SUBJECT_TAG, ""),
        lineage_sha256=version.tags.get(LINEAGE_TAG, ""),
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        tags=dict(sorted(version.tags.items())),
    )


plugin = MlflowRegistry()
