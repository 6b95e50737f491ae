"""Devices: one YAML file each in manifests/devices, and what each of them says of itself.

A declaration holds the thing (an address, labels), never a secret. `local` is this machine: it is always declared,
with or without a file.
"""

from pathlib import Path
from typing import Any

import yaml
from pydantic import AliasChoices, Field, ValidationError

from edgeloop import plugins
from edgeloop.benchmarking.environment import Environment, read_environment
from edgeloop.benchmarking.messages import asked
from edgeloop.contract import Contract, first_fault
from edgeloop.errors import InputFault, MissingExtra, translated
from edgeloop.runtimes import RuntimeState

FOLDER = Path("manifests/devices")
WORKER = "edgeloop.benchmarking.worker"

_NAME = r"^[a-z0-9][a-z0-9._-]{0,62}$"
_CLASS = r"^[a-z0-9][a-z0-9_-]{0,62}$"
"""It ends an alias of the registry, and MLflow takes no dot there."""
_FIX = "correct the file"
_PROBE_TIMEOUT_S = 120.0


class Device(Contract):
    """The declaration of one device."""

    name: str = Field(pattern=_NAME, description="the file's name without .yaml")
    device_class: str = Field(
        validation_alias=AliasChoices("class", "device_class"),
        pattern=_CLASS,
        description="devices of one class are interchangeable; a winner is chosen a class",
    )
    transport: str = Field(default="local", pattern=_NAME, description="plug-in of edgeloop.transports")
    address: str | None = Field(default=None, max_length=1000, description="as the transport reads it; never a secret")
    labels: dict[str, str] = Field(default_factory=dict, description="for people and for filters")
    runtimes: tuple[str, ...] | None = Field(default=None, description="what may run there; null is whatever is found")
    emulated: bool = Field(default=False, description="timings of an emulator are never a pass")


LOCAL = Device(name="local", device_class="workstation", labels={"place": "this machine"})


class Probe(Contract):
    """What a device says of itself."""

    environment: Environment
    runtimes: tuple[RuntimeState, ...]


def declared(folder: Path = FOLDER) -> list[Device]:
    """All devices, sorted by name; `local` is always one of them.

    Raises:
        InputFault: A file is no YAML, or no device; the file and the key are named.
    """
    devices = {LOCAL.name: LOCAL}
    if folder.is_dir():
        devices |= {path.stem: read_device(path) for path in sorted(folder.glob("*.yaml"))}
    return [devices[name] for name in sorted(devices)]


def device_named(name: str, folder: Path = FOLDER) -> Device:
    """The declared device `name`.

    Raises:
        InputFault: There is none of that name.
    """
    devices = {device.name: device for device in declared(folder)}
    if name not in devices:
        known = ", ".join(devices)
        raise InputFault(
            f"no device named {name!r}", where=str(folder), fix=f"add {name}.yaml there or use one of: {known}"
        )
    return devices[name]


def read_device(path: Path) -> Device:
    """The device in one file.

    Raises:
        InputFault: It is no YAML, or no device.
    """
    try:
        with translated(path):
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputFault(f"is not YAML ({error})", where=str(path), fix="correct the syntax") from error
    if not isinstance(values, dict):
        raise InputFault("is not a mapping", where=str(path), fix="write `name:`, `class:` and `transport:`")
    try:
        device = Device.model_validate(values)
    except ValidationError as error:
        raise InputFault(first_fault(error, Device), where=str(path), fix=_FIX) from error
    if device.name != path.stem:
        raise InputFault(f"is named {device.name!r} inside", where=str(path), fix=f"write `name: {path.stem}`")
    if device.transport not in plugins.names("transports"):
        known = ", ".join(plugins.names("transports"))
        raise InputFault(
            f"transport: no plug-in named {device.transport!r}", where=str(path), fix=f"use one of: {known}"
        )
    return device


def probe_local() -> Probe:
    """This machine, read in this process.

    Importing a runtime to ask for its version takes its time: torch alone a second or two.
    """
    return Probe(environment=read_environment(), runtimes=states(plugins.names("runtimes")))


def probe(device: Device) -> Probe:
    """What `device` says of itself, asked over its transport.

    Raises:
        DeviceFault: It cannot be reached, or does not answer.
    """
    if device == LOCAL or (device.transport, device.address) == ("local", None):
        return probe_local()
    with (
        plugins.load("transports", device.transport).connected(device.address) as connection,
        connection.converse([WORKER]) as conversation,
    ):
        return asked(conversation, "probe", Probe, timeout_s=_PROBE_TIMEOUT_S)


def states(names: list[str]) -> tuple[RuntimeState, ...]:
    """The state of each runtime plug-in on this machine; one that cannot even be loaded says why."""
    return tuple(_state(name) for name in names)


def _state(name: str) -> RuntimeState:
    try:
        state: RuntimeState = plugins.load("runtimes", name).state()
    except MissingExtra as error:
        return RuntimeState(name=name, available=False, reason=error.line())
    return state


def fingerprint(device: Device) -> dict[str, Any]:
    """What timings depend on and a day does not change: another value, and they have to be taken again.

    Raises:
        DeviceFault: The device cannot be reached.
    """
    found = probe(device)
    machine = found.environment
    return {
        "class": device.device_class,
        "soc": machine.soc,
        "architecture": machine.architecture,
        "cores": machine.cores,
        "isa": list(machine.isa),
        "ram_gib": machine.ram_gib,
        "runtimes": {state.name: state.version for state in found.runtimes if state.available},
    }
