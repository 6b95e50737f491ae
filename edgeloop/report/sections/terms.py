"""What the words on the page mean."""

from edgeloop.report.blocks import Fact, Facts, Fold, Section

_TERMS = {
    "variant": "One model file: a format × a precision.",
    "target": "Where a variant runs: device, runtime, number of threads.",
    "candidate": "A variant on a target; what is measured and chosen.",
    "reference": "The trained float model that parity and accuracy drops are against.",
    "p50, p90, p95, p99": "Quantiles: half, 90 %, 95 %, 99 % of the inferences were at most that slow.",
    "≤ bound": "One-sided 99 % upper confidence bound of a quantile, an order statistic: no distribution is assumed.",
    "LV, AV, HV": "Lowest, average and highest value of the latency.",
    "load, first": "Time to load the model, and of its first inference; both are kept out of the steady state.",
    "throughput": "Inferences a second, one after another.",
    "CPU share": "Process time over wall time and threads while timed; below 95 % the round was contended.",
    "agreement": "Share of val samples answered as by the reference.",
    "rel. error": "Largest difference of an output over the largest reference output.",
    "Pareto front": "Candidates that no other beats in one objective without losing in another.",
    "invalid, not evaluated": "Not judged: contended, throttled, lost, emulated, or too few samples. Never a pass.",
    "ECE": "Expected calibration error: mean gap between confidence and accuracy over bins of confidence.",
    "pp": "Percentage points.",
    "subject digest": "sha256 over what code, parameters, seed and data decide; equal inputs give an equal digest.",
    "evidence": "What a clock or a device decided about a subject.",
    "quarantine": "Samples that validation leaves out.",
}


def terms() -> Section:
    """The section."""
    facts = tuple(Fact(word, meaning) for word, meaning in _TERMS.items())
    return Section("terms", "Terms", (Fold("What the words mean", (Facts(facts),)),))
