"""Signatures: over a whole bundle, and over single statements that are added to it later.

A bundle is signed by model-signing (OpenSSF) with an elliptic-curve key; `signature/` and `evidence/` lie outside that
signature. A statement in `evidence/` is a DSSE envelope (Dead Simple Signing Envelope, v1) around an in-toto statement
that names the bundle's subject digest.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import ModelFault, translated
from edgeloop.files import read_json
from edgeloop.keys import private_key, public_key
from edgeloop.plugins import missing_extra

SIGNATURE = Path("signature/bundle.sig")
UNSIGNED = (Path("signature"), Path("evidence"))
"""Relative to the bundle: the signature itself, and statements that carry their own."""

STATEMENT_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://edgeloop.dev/evidence/{kind}/v1"


@dataclass(frozen=True)
class SignedStatement:
    """What somebody whom we trust says of a model.

    Args:
        subject_digest: Of the model, `sha256:…`.
        kind: Name of the evidence, such as `benchmark`.
        body: JSON types.
        payload: The bytes that were signed.
        key: The public key that they were signed by.
    """

    subject_digest: str
    kind: str
    body: dict[str, Any]
    payload: bytes
    key: Path


def sign(bundle: Path, key: Path) -> Path:
    """Signs everything in `bundle` but `UNSIGNED`; returns the signature's path.

    Raises:
        MissingExtra: model-signing is not installed.
        InputFault: `key` is no private key on an elliptic curve.
    """
    private_key(key)  # a wrong key is named before model-signing sees it
    signing, _, hashing = _model_signing()
    signature = bundle / SIGNATURE
    with translated(signature):
        signature.parent.mkdir(parents=True, exist_ok=True)
        config = signing.Config().use_elliptic_key_signer(private_key=key)
        config.set_hashing_config(_hashing(hashing)).sign(bundle, signature)
    return signature


def verify(bundle: Path, keys: Sequence[Path]) -> Path:
    """The one of `keys` that signed the bundle as it is.

    Raises:
        ModelFault: The signature is missing or by another key, or a file is not what was signed; `facts["file"]` is
            the first of them, relative to the bundle.
    """
    _, verifying, hashing = _model_signing()
    signature = bundle / SIGNATURE
    if not signature.is_file():
        raise _refused("the signature is missing", bundle)
    _refuse_other_spelling(bundle)
    for key in keys:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(_hashing(hashing))
        try:
            verifier.verify(bundle, signature)
        except Exception as error:  # model-signing lets every kind through, from ValueError to InvalidSignature
            if str(error).startswith("Signature mismatch"):  # so it is by this key
                raise _refused("is not what was signed", bundle, file=_differing(bundle)) from error
        else:
            return key
    raise _refused(f"was not signed by a trusted key ({', '.join(path.name for path in keys)})", bundle)


def _refused(what: str, bundle: Path, *, file: Path = SIGNATURE) -> ModelFault:
    return ModelFault(what, where=str(bundle / file), fix="do not use this bundle", file=file)


def _differing(bundle: Path) -> Path:
    """The first file, missing or extra ones too, that is not what a genuine signature says."""
    envelope = read_json(bundle / SIGNATURE)["dsseEnvelope"]
    resources = json.loads(_decoded(envelope["payload"]))["predicate"]["resources"]
    signed = {Path(entry["name"]): entry["digest"] for entry in resources}
    found = {path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file()}
    extra = {path for path in found - set(signed) if Path(path.parts[0]) not in UNSIGNED}
    changed = {path for path in found & set(signed) if sha256_of_file(bundle / path) != signed[path]}
    return min({*extra, *changed, *(set(signed) - found)}, default=SIGNATURE)


def _refuse_other_spelling(bundle: Path) -> None:
    """JSON and base64 spell one value in several ways; what the signature does not cover may not vary either.

    Raises:
        ModelFault: The signature is not as model-signing writes it.
    """
    try:
        with translated(bundle / SIGNATURE):
            content = (bundle / SIGNATURE).read_text(encoding="utf-8")
        written = json.loads(content)
        envelope = written["dsseEnvelope"]
        for encoded in (envelope["payload"], *(entry["sig"] for entry in envelope["signatures"])):
            _decoded(encoded)
        as_written = bool(written["verificationMaterial"]["publicKey"]["hint"])
        as_written &= content == json.dumps(written, separators=(",", ":"), ensure_ascii=False)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _refused("the signature cannot be read", bundle) from error
    if not as_written:
        raise _refused("the signature was changed", bundle)


def _decoded(encoded: str) -> bytes:
    """The bytes of base64 text in its one canonical spelling.

    Raises:
        ValueError: It is none, or another spelling.
    """
    content = base64.b64decode(encoded, validate=True)
    if base64.b64encode(content).decode() != encoded:
        raise ValueError("not canonical base64")
    return content


def signed_statement(subject_digest: str, kind: str, body: dict[str, Any], *, key: Path) -> dict[str, Any]:
    """A DSSE envelope around an in-toto statement about the model with `subject_digest`.

    Args:
        subject_digest: `sha256:…` of the lineage manifest's subject.
        kind: Name of the evidence, such as `benchmark`.
        body: JSON types.
        key: Private key, PEM.

    Source: DSSE v1 protocol and in-toto Statement v1 specifications.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    algorithm, _, value = subject_digest.partition(":")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {algorithm: value}}],
        "predicateType": PREDICATE_TYPE.format(kind=kind),
        "predicate": body,
    }
    payload = json.dumps(statement, sort_keys=True).encode()
    signature = private_key(key).sign(_pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    return {
        "payloadType": STATEMENT_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


def opened_statement(envelope: Any, keys: Sequence[Path], *, where: str) -> SignedStatement:
    """The statement in a DSSE envelope that one of `keys` signed.

    Args:
        envelope: As `signed_statement` makes it; anything may be in it.
        keys: Public keys to trust.
        where: What a fault names.

    Raises:
        ModelFault: None of them signed it, or it is no envelope.
    """
    try:
        payload = _decoded(envelope["payload"])
        signatures = [_decoded(entry["sig"]) for entry in envelope["signatures"]]
        if envelope["payloadType"] != STATEMENT_TYPE:
            raise ValueError(envelope["payloadType"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFault("is not a signed statement", where=where, fix="do not use this evidence") from error
    key = next((key for key in keys for signature in signatures if _fits(key, signature, payload)), None)
    if key is None:
        raise ModelFault("was not signed by a trusted key", where=where, fix="do not use this evidence")
    return _told(payload, key, where=where)


def _fits(key: Path, signature: bytes, payload: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        public_key(key).verify(signature, _pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _told(payload: bytes, key: Path, *, where: str) -> SignedStatement:
    """The parts of an in-toto statement about one subject."""
    try:
        statement = json.loads(payload)
        (subject,) = statement["subject"]
        ((algorithm, value),) = subject["digest"].items()
        before, after = PREDICATE_TYPE.split("{kind}")
        kind = statement["predicateType"].removeprefix(before).removesuffix(after)
        if statement["predicateType"] != PREDICATE_TYPE.format(kind=kind):
            raise ValueError(statement["predicateType"])
        return SignedStatement(f"{algorithm}:{value}", kind, dict(statement["predicate"]), payload, key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFault(
            "is a statement of another kind than evidence", where=where, fix="do not use this evidence"
        ) from error


def _pre_authentication(payload: bytes) -> bytes:
    """What is signed: type and payload with their lengths, so that neither can grow into the other (DSSE PAE)."""
    kind = STATEMENT_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _hashing(hashing: Any) -> Any:
    return hashing.Config().set_ignored_paths(paths=UNSIGNED, ignore_git_paths=False)


def _model_signing() -> tuple[Any, Any, Any]:
    try:
        from model_signing import hashing, signing, verifying
    except ModuleNotFoundError as error:
        raise missing_extra(error, "signing") from error
    return signing, verifying, hashing
