"""register: the bundle, its lineage, and its place in the model registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from edgeloop import plugins
from edgeloop.canonical import digest_of, sha256_of_file
from edgeloop.contract import Contract
from edgeloop.lineage.evidence import Promotion, Trigger

if TYPE_CHECKING:
    from edgeloop.bundle import Bundle
    from edgeloop.registries import RegisteredVersion, Registry


_PREFIX = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"
_ALIAS = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
"""As MLflow takes it."""


class RegisterParams(Contract):
    """Section `register`."""

    registry: str = Field(default="mlflow", description="plug-in of edgeloop.registries")
    model_name: str = Field(default="digits", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    prefix: str = Field(default="", pattern=_PREFIX, description="before model_name: keeps teams on one server apart")
    alias: str = Field(default="champion", pattern=_ALIAS, description="the device class follows: champion-<class>")
    max_metric_drop: float = Field(
        default=0.0, ge=0, le=1, description="a new version may be this much worse on test than the one it replaces"
    )
    create_key: bool = Field(default=False, description="make a signing key where there is none; never in a container")

    @property
    def name(self) -> str:
        """The name in the registry."""
        return f"{self.prefix}{self.model_name}"

    @field_validator("alias")
    @classmethod
    def _not_reserved(cls, alias: str) -> str:
        """MLflow keeps `latest` and `v1`, `v2`, … for itself."""
        if alias == "latest" or (alias.startswith("v") and alias[1:].isdigit()):
            raise ValueError("is reserved by MLflow")
        return alias


class Registration(Contract):
    """A model version that the registry has, and what became of the alias."""

    uri: str
    name: str
    version: str
    subject_digest: str
    promotion: Promotion
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
    trigger: Trigger | None = None,
    predecessor: Path | None = None,
) -> Registration:
    """Writes the bundle, signs and verifies it, stores it in the registry, and moves the alias last.

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
        trigger: What set a retraining off.
        predecessor: YAML file to write with the manifest of the version that held the alias, if another one did.

    Raises:
        GateRefused: A step before had said no, or somebody else moved the alias meanwhile.
        ModelFault: What the steps wrote does not belong together, or the registry gave back other bytes.
        EnvironmentFault: There is no key to sign with.
        ServerFault: The registry does not answer.
    """
    from edgeloop import bundle as bundles
    from edgeloop.keys import signing_key
    from edgeloop.lineage.assembly import StepOutputs, manifest_of, read_materials, subject_of
    from edgeloop.lineage.circumstances import circumstances
    from edgeloop.lineage.code import code_digest
    from edgeloop.lineage.manifest import write_manifest
    from edgeloop.lineage.packing import contents_of, tags_of
    from edgeloop.promotion import Challenge, decided
    from edgeloop.signing import sign
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
    key = signing_key(may_create=params.create_key)
    registry: Registry = plugins.load("registries", params.registry)
    code = code_digest()
    challenge = Challenge(
        name=params.name,
        alias=f"{params.alias}-{materials.device_class}",
        subject_digest=digest_of(subject_of(materials, code=code).values()),
        evaluation=materials.evaluation,
        test_digest=materials.verdict.digests.get("test", ""),
        dataset=dataset,
        validation=validation,
        tolerance=params.max_metric_drop,
    )
    decision = decided(challenge, registry)
    if predecessor is not None and decision.predecessor is not None:
        write_manifest(predecessor, decision.predecessor)
    promotion = decision.promotion
    run_id = TrackingRecord.read(history / "tracking.json").run_id
    run = circumstances({"train": run_id} if run_id else {}, trigger=trigger, promotion=promotion)
    manifest = manifest_of(materials, name=params.name, code=code, run=run)
    contents = contents_of(outputs, materials, manifest)
    written = bundles.write(bundle, manifest, contents, sign=lambda folder: sign(folder, key))
    version = _stored(written, registry, params.name, tags=tags_of(materials, run_id, run=run), promotion=promotion)
    lineage = sha256_of_file(bundle / "lineage.yaml")
    return Registration(
        uri=version.uri,
        name=version.name,
        version=version.version,
        subject_digest=version.subject_digest,
        promotion=promotion,
        run_id=run_id,
        stored=version.lineage_sha256 == lineage,
    )


def _stored(
    bundle: "Bundle", registry: "Registry", name: str, *, tags: Mapping[str, str], promotion: Promotion
) -> "RegisteredVersion":
    """The alias is moved last: whoever follows it finds a version that is stored and verified."""
    version = registry.push(bundle, name, tags=tags)
    if promotion.promoted:
        registry.promote(name, promotion.alias, version.version, expected=promotion.champion)
    return version
