"""Who stands behind a bundle: its files, its signature and its evidence, against the keys that are trusted.

Three questions, the third only where the first says yes:

1. is every file the one that the manifest lists, and the manifest's digest that of its subject?
2. is the signature over all of them by a trusted key?
3. is every statement in evidence/ by a trusted key, about this subject, and as it was written?

Trusted are the keys that the caller names, else those in the trust folder; one that lies inside the bundle is never
trusted. What no check can see: that a statement was taken out of evidence/, which may grow and shrink by intent, and
that the whole bundle is an older one than it should be, which is the registry's to say.

`opened` is for whoever uses a model here. Where the project trusts keys it asks for their signature as well; where it
trusts none there is nobody to ask, and only 1 holds.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from edgeloop import signing
from edgeloop.bundle import Bundle, Finding, verify
from edgeloop.contract import Contract
from edgeloop.errors import EdgeloopError, GateRefused, InputFault, ModelFault
from edgeloop.keys import TRUST, public_key, trusted_keys
from edgeloop.lineage.manifest import LINEAGE_FILE, read_manifest
from edgeloop.lineage.statements import FOLDER, Statement, read_statement

FIX = "do not use this bundle; take it again from where it was made"


class Verification(Contract):
    """What verifying a bundle found."""

    ok: bool = Field(description="nothing was found")
    bundle: str
    subject_digest: str | None = Field(description="null where the files are not what the manifest lists")
    signed_by: str | None = Field(description="the trusted key's file; null where the signature does not hold")
    statements: tuple[Statement, ...] = Field(description="evidence that was added later, as far as it is trusted")
    findings: tuple[Finding, ...]


def verified(folder: Path, keys: Sequence[Path]) -> Verification:
    """Verifies a bundle in every respect.

    Args:
        folder: The bundle.
        keys: Public keys to trust, see `keys_outside`.

    Raises:
        InputFault: There is no such folder.
        MissingExtra: model-signing is not installed.
    """
    if not folder.is_dir():
        raise InputFault("is no folder", where=str(folder), fix="name a bundle's folder")
    findings = verify(folder)
    signed_by, doubt = _signature(folder, keys)
    if findings:
        known = {signing.SIGNATURE.as_posix(), *(finding.file for finding in findings)}
        cause = [doubt] if doubt is not None and doubt.file not in known else []  # a genuine signature knows it best
        return _verification(folder, [*cause, *findings], signed_by=signed_by)
    findings = [doubt] if doubt is not None else []
    subject_digest = read_manifest(folder / LINEAGE_FILE).subject_digest
    findings += _extra_signatures(folder)
    statements, refused = evidence_in(folder, keys, subject_digest=subject_digest)
    findings += refused
    return _verification(folder, findings, subject_digest=subject_digest, signed_by=signed_by, statements=statements)


def evidence_in(folder: Path, keys: Sequence[Path], *, subject_digest: str) -> tuple[list[Statement], list[Finding]]:
    """The statements in evidence/ that are trusted, and why the others are not.

    Args:
        folder: The bundle.
        keys: Public keys to trust; without any no statement is trusted.
        subject_digest: Of the bundle.
    """
    statements: list[Statement] = []
    findings: list[Finding] = []
    for path in sorted((folder / FOLDER).rglob("*")):
        try:
            statements.append(read_statement(path, keys, subject_digest=subject_digest))
        except EdgeloopError as fault:
            findings.append(_finding(folder, fault, file=path.relative_to(folder)))
    return statements, findings


def trusted_here(folder: Path) -> list[Path]:
    """The keys of this project's trust folder, for use on a bundle; none where it has none.

    Raises:
        InputFault: One is no public key, or lies in the bundle.
    """
    return keys_outside(folder) if any(TRUST.glob("*.pem")) else []


def keys_outside(folder: Path, *, named: Sequence[Path] = (), trust: Path | None = None) -> list[Path]:
    """The keys to trust for a bundle.

    Args:
        folder: The bundle.
        named: Public keys that the caller names.
        trust: A trust folder; by default that of the project, and none where keys are named.

    Raises:
        InputFault: There is none, one is no public key, or one lies in the bundle.
    """
    folders = [trust] if trust is not None else [] if named else [TRUST]
    keys = [*named, *(key for one in folders for key in trusted_keys(trust=one))]
    for key in keys:
        public_key(key)
        if key.resolve().is_relative_to(folder.resolve()):
            raise InputFault("lies in the bundle", where=str(key), fix="trust a key that you have from elsewhere")
    return keys


def refuse_unless_ok(verification: Verification) -> None:
    """Turns a verdict into a stop.

    Raises:
        GateRefused: Something was found; the first file and its reason are named, and how many more there are.
    """
    if not verification.ok:
        first, more = verification.findings[0], len(verification.findings) - 1
        also = f" (and {more} more)" if more else ""
        raise GateRefused(f"{first.reason}{also}", where=f"{verification.bundle}/{first.file}", fix=FIX)


def opened(folder: Path) -> Bundle:
    """A bundle for use, its files verified; its signature as well where this project trusts keys.

    Raises:
        ModelFault: It is not whole, or not signed by a trusted key.
        InputFault: What lies in the trust folder is no public key.
    """
    bundle = Bundle.open(folder)
    refuse_untrusted(bundle, where=str(folder))
    return bundle


def refuse_untrusted(bundle: Bundle, *, where: str) -> None:
    """Asks for the signature of a bundle where this project trusts keys.

    Args:
        bundle: Verified already.
        where: How the user named it.

    Raises:
        ModelFault, InputFault: As `opened`.
    """
    keys = trusted_here(bundle.folder)
    if not keys:
        return
    try:
        signing.verify(bundle.folder, keys)
    except ModelFault as fault:
        raise ModelFault(
            f"{fault.facts['file']}: {fault.what}",
            where=where,
            fix=f"do not use it, or put its maker's key into {TRUST}",
        ) from fault


def _signature(folder: Path, keys: Sequence[Path]) -> tuple[str | None, Finding | None]:
    """The key that signed the bundle, or why none of `keys` did."""
    try:
        return str(signing.verify(folder, keys)), None
    except ModelFault as fault:
        return None, _finding(folder, fault, file=Path(str(fault.facts["file"])))


def _extra_signatures(folder: Path) -> Iterator[Finding]:
    """What lies beside the signature; nothing covers it."""
    for path in sorted((folder / signing.SIGNATURE.parent).rglob("*")):
        name = path.relative_to(folder)
        if name != signing.SIGNATURE:
            yield Finding(file=name.as_posix(), kind="extra", reason="is not covered by the signature")


def _finding(folder: Path, fault: EdgeloopError, *, file: Path) -> Finding:
    missing = not (folder / file).exists()
    return Finding(file=file.as_posix(), kind="missing" if missing else "untrusted", reason=fault.what)


def _verification(
    folder: Path,
    findings: Sequence[Finding],
    *,
    subject_digest: str | None = None,
    signed_by: str | None = None,
    statements: Sequence[Statement] = (),
) -> Verification:
    return Verification(
        ok=not findings,
        bundle=str(folder),
        subject_digest=subject_digest,
        signed_by=signed_by,
        statements=tuple(statements),
        findings=tuple(findings),
    )
