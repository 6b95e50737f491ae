"""What is said between `measurement` here and `worker` on the device: one JSON object a line, both ways.

A question is `{"do": VERB, …}`. An answer is `{"answer": {…}}`, or `{"fault": {"kind": …, "line": …}}` where the
device says why not. A device's answer is untrusted: its size is bounded by the transport and its shape checked here.
"""

import json
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from edgeloop import errors
from edgeloop.contract import Contract, first_fault
from edgeloop.errors import DeviceFault, EdgeloopError
from edgeloop.runtimes import Placement, RuntimeState
from edgeloop.transports import Conversation

C = TypeVar("C", bound=Contract)

_FAULTS = {"ModelFault", "DataFault", "InputFault", "MissingExtra", "PluginFault", "DiskFull", "NotWritable"}
"""Kinds that keep their meaning on the way here; any other is the device's fault."""


class Loaded(Contract):
    """A model was loaded and answered once."""

    state: RuntimeState
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="of the model file as it lies on the device")
    load_ns: int = Field(ge=0)
    first_ns: int = Field(ge=0)


class Warm(Contract):
    """Warm-up has ended."""

    queries: int = Field(ge=0)
    query_ns: int = Field(gt=0, description="median of the last window")
    clock_cost_ns: int = Field(ge=0, description="of reading the clock twice, median")
    block: int = Field(ge=1, description="queries that are timed together from now on")


class Timed(Contract):
    """One turn of steady-state queries."""

    latencies_ns: tuple[float, ...] = Field(description="of one query; mean of a block where more are timed together")
    block: int = Field(ge=1)
    wall_ns: int = Field(gt=0)
    process_ns: int = Field(ge=0, description="CPU time of all threads")


class Outputs(Contract):
    """Outputs were written."""

    path: str = Field(description="npz on the device, one array for each output")


class Told(Contract):
    """Where the operators of the loaded model are computed."""

    placement: Placement | None = Field(description="null where the runtime does not tell")


class Peak(Contract):
    """Memory of the process so far."""

    peak_memory_bytes: int | None = Field(ge=0, description="VmHWM; null where the kernel does not tell")


def asked(conversation: Conversation, verb: str, answer: type[C], *, timeout_s: float, **arguments: Any) -> C:
    """The answer to one question.

    Args:
        conversation: With a worker.
        verb: What to do.
        answer: What the answer has to be.
        timeout_s: How long to wait for it.
        arguments: JSON types.

    Raises:
        DeviceFault: The worker is lost, or answers with rubbish.
        EdgeloopError: The worker lives and says why it cannot; a `ModelFault` there is one here, and
            `facts["told_by_worker"]` is true.
    """
    line = conversation.ask(json.dumps({"do": verb, **arguments}), timeout_s=timeout_s)
    try:
        reply = json.loads(line)
        fault = reply.get("fault")
    except (ValueError, AttributeError, RecursionError) as error:
        raise _rubbish(f"{line[:60]!r}") from error
    if fault is not None:
        raise _fault_of(fault)
    try:
        return answer.model_validate(reply.get("answer"))
    except ValidationError as error:
        raise _rubbish(first_fault(error, answer)) from error


def _fault_of(fault: Any) -> EdgeloopError:
    try:
        kind, line = str(fault["kind"]), str(fault["line"])[:500]
    except (TypeError, KeyError):
        return _rubbish("a fault without kind or line")
    known: type[EdgeloopError] = getattr(errors, kind) if kind in _FAULTS else DeviceFault
    return known(line, told_by_worker=True)


def _rubbish(what: str) -> DeviceFault:
    return DeviceFault(f"answered with rubbish: {what}", where="worker", fix="install the same edgeloop on the device")
