"""Signatures: over a whole bundle, and over single statements that are added to it later.

A bundle is signed by model-signing (OpenSSF) with an elliptic-curve key; `signature/` and `evidence/` lie outside that
signature. A statement in `evidence/` is a DSSE envelope (Dead Simple Signing Envelope, v1) around an in-toto statement
that names the bundle's subject digest.
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeloop.errors import ModelFault, translated
from edgeloop.keys import private_key, public_key
from edgeloop.plugins import missing_extra

SIGNATURE = Path("signature/bundle.sig")
UNSIGNED = (Path("signature"), Path("evidence"))
"""Relative to the bundle: the signature itself, and statements that carry their own."""

STATEMENT_TYPE = "application/vnd.in-toto+json"


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
        ModelFault: The signature is missing, by another key, or does not fit; the first file that differs is named.
    """
    _, verifying, hashing = _model_signing()
    signature = bundle / SIGNATURE
    if not signature.is_file():
        raise ModelFault("the signature is missing", where=str(signature), fix="do not use this bundle")
    reasons = []
    for key in keys:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(_hashing(hashing))
        try:
            verifier.verify(bundle, signature)
        except Exception as error:  # model-signing lets every kind through, from ValueError to InvalidSignature
            reasons.append(str(error) or type(error).__name__)
        else:
            return key
    changed = [reason for reason in reasons if reason.startswith("Signature mismatch")]
    what = changed[0] if changed else f"was not signed by a trusted key ({', '.join(path.name for path in keys)})"
    raise ModelFault(what, where=str(signature), fix="do not use this bundle")


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
        "predicateType": f"https://edgeloop.dev/evidence/{kind}/v1",
        "predicate": body,
    }
    payload = json.dumps(statement, sort_keys=True).encode()
    signature = private_key(key).sign(_pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    return {
        "payloadType": STATEMENT_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


def opened_statement(envelope: dict[str, Any], keys: Sequence[Path], *, where: str) -> dict[str, Any]:
    """The statement in a DSSE envelope that one of `keys` signed.

    Raises:
        ModelFault: None of them did, or it is no envelope.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(entry["sig"], validate=True) for entry in envelope["signatures"]]
        if envelope["payloadType"] != STATEMENT_TYPE:
            raise ValueError(envelope["payloadType"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFault("is not a signed statement", where=where, fix="do not use this evidence") from error
    for key in keys:
        for signature in signatures:
            try:
                public_key(key).verify(signature, _pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                continue
            return dict(json.loads(payload))
    raise ModelFault("was not signed by a trusted key", where=where, fix="do not use this evidence")


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
