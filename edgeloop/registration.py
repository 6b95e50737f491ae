"""register: the bundle, its lineage, and its place in the model registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract

if TYPE_CHECKING:
    from edgeloop.bundle import Bundle
    from edgeloop.registries import Registry


class RegisterParams(Contract):
    """Section `register`."""

    registry: str = Field(default="mlflow", description="plug-in of edgeloop.registries")
    model_name: str = Field(default="digits", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    alias: str = Field(default="champion", pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,63}$")

    @field_validator("alias")
    @classmethod
    def _not_reserved(cls, alias: str) -> str:
        """MLflow keeps `latest` and `v1`, `v2`, … for itself."""
        if alias == "latest" or (alias.startswith("v") and alias[1:].isdigit()):
            raise ValueError("is reserved by MLflow")
        return alias


class Registration(Contract):
    """A model version that the registry has, and the alias that points to it."""

    uri: str
    name: str
    version: str
    subject_digest: str
    alias: str
    run_id: str | None = Field(description="of the tracked training, null where nothing was tracked")
    stored: bool = Field(description="false: the registry had this subject before, with the evidence of that time")


def register(
    params: RegisterParams,
    *,
    params_file: Path,
    dataset: Path,
    profile: Path,
    validation: Path,
    model: Path,
    history: Path,
    converted: Path,
    quantized: Path,
    benchmark: Path,
    selection: Path,
    evaluation: Path,
    bundle: Path,
) -> Registration:
    """Writes the bundle, verifies it, stores it in the registry, and moves the alias last.

    Killed or cut off anywhere, a second call finishes: a subject that the registry has is not stored again.

    Args:
        params: Section `register`.
        params_file: JSON of the validated whole of the parameters, from check_params.
        dataset: What `prepare_data` wrote, as is `profile`.
        profile: JSON file.
        validation: What `validate_data` wrote.
        model: What `train` wrote, as is `history`.
        history: Folder with tracking.json.
        converted: What `convert` wrote.
        quantized: What `quantize` wrote.
        benchmark: What `benchmark` wrote.
        selection: JSON file that `select` wrote.
        evaluation: What `evaluate` wrote.
        bundle: Folder to write, see `edgeloop.bundle`.

    Raises:
        GateRefused: A step before had said no.
        ModelFault: What the steps wrote does not belong together, or the registry gave back other bytes.
        ServerFault: The registry does not answer.
    """
    from edgeloop import bundle as bundles
    from edgeloop.lineage.assembly import StepOutputs, manifest_of, read_materials
    from edgeloop.lineage.circumstances import circumstances
    from edgeloop.lineage.code import code_digest
    from edgeloop.lineage.packing import contents_of, tags_of
    from edgeloop.tracking import TrackingRecord

    outputs = StepOutputs(
        params_file=params_file,
        dataset=dataset,
        profile=profile,
        validation=validation,
        model=model,
        history=history,
        converted=converted,
        quantized=quantized,
        benchmark=benchmark,
        selection=selection,
        evaluation=evaluation,
    )
    materials = read_materials(outputs)
    run_id = TrackingRecord.read(history / "tracking.json").run_id
    run = circumstances({"train": run_id} if run_id else {})
    manifest = manifest_of(materials, name=params.model_name, code=code_digest(), run=run)
    written = bundles.write(bundle, manifest, contents_of(outputs, materials, manifest))
    return _registered(written, params, tags=tags_of(materials, run_id), run_id=run_id)


def _registered(
    bundle: "Bundle", params: RegisterParams, *, tags: Mapping[str, str], run_id: str | None
) -> Registration:
    """The alias is moved last: whoever follows it finds a version that is stored and verified."""
    registry: Registry = plugins.load("registries", params.registry)
    version = registry.push(bundle, params.model_name, tags=tags)
    registry.promote(params.model_name, params.alias, version.version)
    return Registration(
        uri=version.uri,
        name=version.name,
        version=version.version,
        subject_digest=version.subject_digest,
        alias=params.alias,
        run_id=run_id,
        stored=version.lineage_sha256 == sha256_of_file(bundle.folder / "lineage.yaml"),
    )
