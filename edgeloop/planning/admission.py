"""A training that cannot fit is refused before it starts, and one that fits barely is made to."""

from edgeloop.errors import EnvironmentFault
from edgeloop.planning import Memory, Workload
from edgeloop.planning.allocation import HOLES, return_at_once
from edgeloop.planning.arithmetic import largest_of, peak_bytes
from edgeloop.planning.limits import available_memory, gpu_memory, resident_bytes
from edgeloop.planning.rehearsal import rehearse


def admit(workload: Workload, *, batch: int, available: Memory | None = None, where: str = "train.batch_size") -> int:
    """The bytes that a training in this process will need at most, the process included.

    Where they would do, but not with the holes that the C library leaves between freed blocks, those are returned to
    the system at once from here on, see `edgeloop.planning.allocation`.

    Args:
        workload: What is to be trained.
        batch: Samples a step.
        available: What there is; on a CPU what this process can have now, limits of control groups included.
        where: Named by the fault.

    Raises:
        EnvironmentFault: They are more than available; `fix` names the largest batch by the 80 % rule.
    """
    on_gpu = workload.device == "cuda"
    available = available or (gpu_memory() if on_gpu else available_memory())
    found = rehearse(workload)
    process_bytes = 0 if on_gpu else resident_bytes()
    step_bytes = peak_bytes(found.training, batch=batch)
    needed_bytes = process_bytes + step_bytes
    if needed_bytes > available.size_bytes:
        suggested = largest_of(found.training, memory_bytes=available.size_bytes, process_bytes=process_bytes)
        raise EnvironmentFault(
            f"a batch of {batch} needs {needed_bytes / 1e9:.2f} GB, and there are"
            f" {available.size_bytes / 1e9:.2f} GB ({available.source})",
            where=where,
            fix=f"set it to {suggested}" if suggested else "choose a smaller network or input: not one sample fits",
            needed_bytes=needed_bytes,
            available_bytes=available.size_bytes,
            suggested_batch=suggested,
        )
    if not on_gpu and process_bytes + HOLES * step_bytes > available.size_bytes:
        return_at_once()
    return needed_bytes
