"""Keys: the private one that signs, and the public ones that are trusted.

Whom to trust is never read from a bundle: only keys that the caller names, or those in the trust folder, count.

    .edgeloop/signing.pem     the private key of this project, mode 0600; `EDGELOOP_SIGNING_KEY` names another file
    .edgeloop/trust/*.pem     public keys that this project trusts
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop.errors import EnvironmentFault, InputFault, translated
from edgeloop.files import write_text
from edgeloop.killing import rename_point

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

KEY_VARIABLE = "EDGELOOP_SIGNING_KEY"
CONTAINER_VARIABLE = "EDGELOOP_CONTAINER"
"""Set by the image that runs the components."""

HOME = Path(".edgeloop")
KEY_FILE = HOME / "signing.pem"
TRUST = HOME / "trust"


def key_file() -> Path:
    """Where the private key is, or would be."""
    return Path(os.environ.get(KEY_VARIABLE, KEY_FILE))


def signing_key(*, may_create: bool) -> Path:
    """The private key to sign with; made anew where there is none and that is allowed.

    Args:
        may_create: `register.create_key`. At a terminal a key may always be made.

    Raises:
        EnvironmentFault: There is none and none may be made; the secret to set is named.
    """
    path = key_file()
    if path.is_file():
        if may_create and path == KEY_FILE and not any(TRUST.glob("*.pem")):
            _trust(private_key(path).public_key(), TRUST / f"{path.stem}.pem")  # its making was cut off
        return path
    if in_container() or not (may_create or sys.stdin.isatty()):
        raise EnvironmentFault(
            "there is no signing key",
            where=str(path),
            fix=f"mount the secret with the private key and name its file in {KEY_VARIABLE}"
            if in_container()
            else "set register.create_key: true, or name a key file in " + KEY_VARIABLE,
        )
    create_key(path, trust=TRUST)
    return path


def in_container() -> bool:
    """Whether this is a task of a cluster or of our image, where a key made now would be lost with the container.

    A development container is none of these: its project folder stays, and so does a key in it.
    """
    return CONTAINER_VARIABLE in os.environ or "KUBERNETES_SERVICE_HOST" in os.environ


def create_key(path: Path, *, trust: Path | None = None) -> None:
    """A new private key (P-256, PEM, mode 0600), its public half into the folder `trust`.

    Raises:
        InputFault: There is a key already: it is never overwritten.
        NotWritable, DiskFull: The place cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(private)
                file.flush()
                os.fsync(file.fileno())
            with rename_point():
                os.link(partial, path)  # unlike a rename it replaces nothing
        except FileExistsError as error:
            raise InputFault("exists already", where=str(path), fix="use it, or move it away first") from error
        finally:
            partial.unlink(missing_ok=True)
    if trust is not None:
        _trust(key.public_key(), trust / f"{path.stem}.pem")


def _trust(key: "ec.EllipticCurvePublicKey", path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    public = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_text(path, public.decode())


def trusted_keys(*, trust: Path = TRUST) -> list[Path]:
    """The public keys in the trust folder.

    Raises:
        InputFault: There is none.
    """
    keys = sorted(trust.glob("*.pem"))
    if not keys:
        raise InputFault(
            "no public key to trust", where=str(trust), fix="give --key PUBLIC.pem, or put one into the folder"
        )
    return keys


def private_key(path: Path) -> "ec.EllipticCurvePrivateKey":
    """The private key in a PEM file.

    Raises:
        InputFault: It is none, is encrypted, or is not on an elliptic curve.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    with translated(path):
        content = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise InputFault("is not an unencrypted private key in PEM", where=str(path), fix="give another key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputFault("is not a key on an elliptic curve", where=str(path), fix="give an EC key (P-256)")
    return key


def public_key(path: Path) -> "ec.EllipticCurvePublicKey":
    """The public key in a PEM file.

    Raises:
        InputFault: It is none, or is not on an elliptic curve.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    with translated(path):
        content = path.read_bytes()
    try:
        key = serialization.load_pem_public_key(content)
    except ValueError as error:
        raise InputFault("is not a public key in PEM", where=str(path), fix="give another key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InputFault("is not a key on an elliptic curve", where=str(path), fix="give an EC key (P-256)")
    return key
