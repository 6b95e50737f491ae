"""A plan as text: what it says in pairs, and a row a layer."""

from edgeloop.planning import Layer, Plan
from edgeloop.report.numerals import count, significant, size

COLUMNS = ("layer", "kind", "output", "parameters", "weights", "gradients", "optimiser", "activations",
           "forward", "backward")  # fmt: skip
"""Of `rows_of`: bytes of weights, gradients, optimiser; bytes of activations and FLOPs a sample."""


READING = "once, before the first epoch; samples then stay in memory, so there are no loader workers"


def facts_of(plan: Plan) -> dict[str, str]:
    """What the plan says, without its layers."""
    work, planned = plan.workload, plan.planned
    shape = "x".join(map(str, work.input_shape))
    facts = {
        "model": f"{work.model}, {shape} to {work.classes}, {work.precision}, {work.optimizer}, {work.device}",
        "parameters": count(sum(layer.parameters for layer in plan.layers)),
        "memory": f"{size(plan.memory.size_bytes)} ({plan.memory.source}), {100 * plan.share:.0f} % of it used",
        "process": size(plan.process_bytes),
        "largest batch": f"{count(plan.largest_batch)} in training, {count(plan.largest_inference_batch)} in inference",
        f"peak at batch {count(plan.batch)}": f"{size(planned.training_bytes)} in training{_verdict(plan)},"
        f" {size(planned.inference_bytes)} in inference",
    }
    for time in plan.times:
        facts[f"epoch, {threads_told(time.threads)}"] = (
            f"{significant(time.wall_s)} s ({significant(time.cpu_s)} s of CPU)"
        )
    if plan.reading_s is not None:
        facts["reading"] = f"{significant(plan.reading_s)} s {READING}"
    facts["times"] = (
        f"{plan.times_source}; an epoch learns from {count(plan.samples)} samples"
        f" and judges {count(plan.judged_samples)}"
    )
    return facts


def _verdict(plan: Plan) -> str:
    """Of the planned batch, where it is larger than what keeps to the share."""
    if plan.batch <= plan.largest_batch:
        return ""
    fits = plan.planned.training_bytes <= plan.memory.size_bytes
    return f" (above {100 * plan.share:.0f} %)" if fits else " (does not fit)"


def threads_told(threads: int) -> str:
    """1 thread, 2 threads."""
    return f"{threads} thread{'s' if threads > 1 else ''}"


def rows_of(plan: Plan) -> list[list[str]]:
    """A row a layer, and their sum."""
    rows = [_row(layer, name=layer.name, kind=layer.kind, shape=layer.output_shape) for layer in plan.layers]
    summed = ("parameters", "parameter_bytes", "gradient_bytes", "optimizer_bytes", "activation_bytes",
              "forward_flops", "backward_flops")  # fmt: skip
    totals = {field: sum(getattr(layer, field) for layer in plan.layers) for field in summed}
    whole = Layer(name="all", kind="", output_shape=(), **totals)
    return [*rows, _row(whole, name="all", kind="", shape=())]


def operations(number: int) -> str:
    """Floating-point operations with their unit: 1.42 GFLOP."""
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{significant(number / factor)} {unit}FLOP"
    return f"{number} FLOP" if number else ""


def _row(layer: Layer, *, name: str, kind: str, shape: tuple[int, ...]) -> list[str]:
    sizes = (layer.parameter_bytes, layer.gradient_bytes, layer.optimizer_bytes, layer.activation_bytes)
    return [
        name,
        kind,
        "x".join(map(str, shape)),
        count(layer.parameters) if layer.parameters else "",
        *(size(number) if number else "" for number in sizes),
        operations(layer.forward_flops),
        operations(layer.backward_flops),
    ]
