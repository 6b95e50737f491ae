"""What a contest comes to, as lines of figure, measured and bar."""

from collections.abc import Iterator, Mapping
from statistics import median

from benchmarks.optimize.contest import CHOSEN, Result
from benchmarks.optimize.subjects import Subject
from edgeloop.benchmarking.environment import read_environment

Figure = tuple[str, str, str]

TORCH, ORT = "torch eager fp32", "ORT fp32"
OVER_TORCH, OVER_RIVALS, OVER_FLOAT = 4.0, 1.0, 3.0
VNNI = {"avx512_vnni", "avx_vnni", "amx_int8"}
_ROUNDING = 1e-9


def told(subject: Subject, results: Mapping[str, Result]) -> Iterator[Figure]:
    """The chosen file, every rival, and the chosen one against them."""
    if CHOSEN not in results or results[CHOSEN].p50_ms is None:
        reason = results[CHOSEN].reason if CHOSEN in results else "nothing was within the limits"
        yield f"{subject.name}: chosen", f"not evaluated: {reason}", "a file within the limits"
        return
    chosen = results[CHOSEN]
    if TORCH in results and results[TORCH].accuracy is not None:
        yield f"{subject.name}: on val, trained", f"{results[TORCH].accuracy:.4f}", f"≥ {subject.least:g}"
    bar = f"at most {subject.max_drop * 100:g} points lost"
    yield f"{subject.name}: chosen, {chosen.variant} on {chosen.runtime}", shown(chosen), bar
    for name, rival in results.items():
        if name != CHOSEN:
            yield f"{subject.name}: {name}", shown(rival), "none" if passes(rival, subject) else "misses the limit"
    best = best_rival(subject, results)
    against = [(TORCH, OVER_TORCH), (ORT, OVER_RIVALS), *([(best.name, OVER_RIVALS)] if best else [])]
    for name, least in against:
        label = f"the best rival, {name}" if best and name == best.name and (name, least) == against[-1] else name
        if name in results:
            yield f"{subject.name}: times faster than {label}", ratio(chosen, results[name]), f"≥ {least:g}"


def over_float(subject: Subject, results: Mapping[str, Result]) -> Iterator[Figure]:
    """The fastest int8 file within the limits against float on the same runtime, where the CPU has VNNI."""
    figure = f"{subject.name}: int8 over fp32 on one runtime"
    vnni = sorted(VNNI & set(read_environment().isa))
    floats = {result.runtime: result for result in results.values() if result.variant.endswith("-fp32")}
    int8 = [result for result in results.values() if "int8" in result.variant and passes(result, subject)]
    pairs = [(result, floats[result.runtime]) for result in int8 if result.runtime in floats and result.p50_ms]
    fastest = min(pairs, key=lambda pair: pair[0].p50_ms or 0, default=None)
    if fastest is None:
        yield figure, "kept fp32", f"≥ {OVER_FLOAT:g} with VNNI"
        return
    bar = f"≥ {OVER_FLOAT:g} with {', '.join(vnni)}" if vnni else "none: this CPU has no VNNI"
    yield f"{figure}, {fastest[0].runtime}", ratio(*fastest), bar


def best_rival(subject: Subject, results: Mapping[str, Result]) -> Result | None:
    """The fastest within the limits."""
    within = [result for name, result in results.items() if name != CHOSEN and passes(result, subject)]
    return min((result for result in within if result.p50_ms), key=lambda result: result.p50_ms or 0, default=None)


def passes(result: Result, subject: Subject) -> bool:
    """Whether it loses no more than it may."""
    return result.drop is not None and result.drop <= subject.max_drop + _ROUNDING


def shown(result: Result) -> str:
    """`0.0312 ms, accuracy 0.9926 (-0.19 points)`."""
    time = f"{result.p50_ms:.4g} ms" if result.p50_ms else f"no time: {result.reason}"
    if result.accuracy is None or result.drop is None:
        return time
    return f"{time}, {result.accuracy:.4f} ({-result.drop * 100:+.2f} points)"


def ratio(fast: Result, slow: Result) -> str:
    """The median over rounds, and the range of the middle half."""
    times = fast.times_faster(slow)
    if not times:
        return "not evaluated: no round that both kept"
    low, high = times[len(times) // 4], times[-1 - len(times) // 4]
    return f"{median(times):.2f} ({low:.2f} to {high:.2f}, n={len(times)})"
