"""Rows of the report, from the records of a run. Pure: no clock, no file, no device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from edgeloop.benchmarking import CandidateRow, Status
from edgeloop.benchmarking.environment import throttled
from edgeloop.benchmarking.profiles import CONTENDED, Profile
from edgeloop.benchmarking.records import Record, Stop, latencies_of, stop_of
from edgeloop.benchmarking.rounds import Surroundings
from edgeloop.benchmarking.statistics import paired_ratio, summarised
from edgeloop.devices import Device
from edgeloop.errors import EdgeloopError
from edgeloop.parity import compared
from edgeloop.runtimes import Arrays


@dataclass(frozen=True)
class Judgement:
    """What the task says of outputs.

    Args:
        accuracy: Its metric.
        agreement: With the reference; null where there is none.
    """

    accuracy: float
    agreement: float | None = None


Judge = Callable[[Arrays], Judgement]
"""Judges outputs for all samples."""

NO_SENSOR = "the device has no energy sensor that this process may read"
UNREAD_SENSOR = "not measured: no reader for the energy sensors of this device"


@dataclass(frozen=True)
class Context:
    """What a row is made with besides its own record.

    Args:
        reference: Outputs of the reference variant; empty where it has none.
        judge: Null where there are no labelled samples.
        no_accuracy: Why, where there is no judge.
    """

    profile: Profile
    reference: Arrays
    judge: Judge | None
    no_accuracy: str = ""


def row_of(
    record: Record, *, peers: Sequence[Record], device: Device, surroundings: Surroundings, context: Context
) -> CandidateRow:
    """One candidate's row.

    Args:
        record: Of the candidate.
        peers: All records of its device; the fp32 one of the same target is what its ratio is against.
        device: Its device.
        surroundings: What the device said of itself.
        context: The rest.
    """
    quality = _quality(record, context)
    status, reason = _status(record, device=device, surroundings=surroundings, profile=context.profile)
    variant, target = record.candidate.placed.variant, record.candidate.target
    kept = record.kept_turns()
    sensors = surroundings.before.energy_sensors if surroundings.before else ()
    return CandidateRow(
        candidate=record.candidate.name,
        variant=variant.name,
        target=target,
        status=status,
        reason=reason,
        profile=context.profile.name,
        size_bytes=variant.size_bytes,
        load_ms=median(loaded.load_ns for loaded in record.loaded) / 1e6 if record.loaded else None,
        first_ms=median(loaded.first_ns for loaded in record.loaded) / 1e6 if record.loaded else None,
        preprocess_ms=surroundings.preprocess_ms,
        warm_up_queries=sum(warm.queries for warm in record.warm) if record.warm else None,
        latency=summarised(latencies_of(kept)) if kept else None,
        block=max((turn.timed.block for turn in kept), default=None),
        clock_cost_ns=max((warm.clock_cost_ns for warm in record.warm), default=None),
        restart_p50_ms=_restart_p50_ms(record, context.profile),
        rounds_kept=len(kept),
        rounds_dropped=len(record.turns) - len(kept),
        latency_ratio=_ratio(record, peers),
        peak_memory_bytes=record.peak_memory_bytes,
        energy_reason=UNREAD_SENSOR if sensors else NO_SENSOR,
        accuracy=quality.accuracy,
        accuracy_reason=quality.reason,
        agreement=quality.agreement,
        max_relative_error=quality.max_relative_error,
        contention=median(record.contention) if record.turns else None,
        runtime_version=record.loaded[-1].state.version if record.loaded else None,
        runtime_sha256=record.loaded[-1].state.library_sha256 if record.loaded else None,
        placement=record.placement,
    )


@dataclass(frozen=True)
class _Quality:
    accuracy: float | None = None
    agreement: float | None = None
    max_relative_error: float | None = None
    reason: str = ""


def _quality(record: Record, context: Context) -> _Quality:
    """Accuracy and parity; outputs that cannot be judged end the candidate."""
    outputs = record.all_outputs()
    if context.judge is None or not outputs:
        return _Quality(reason=context.no_accuracy or "no outputs were taken")
    try:
        parities = compared(context.reference, outputs) if context.reference else ()
        judgement = context.judge(outputs)
    except EdgeloopError as error:
        record.stop = record.stop or stop_of(error)
        return _Quality(reason=error.line())
    errors = [parity.max_relative_error for parity in parities if parity.max_relative_error is not None]
    return _Quality(
        accuracy=judgement.accuracy,
        agreement=judgement.agreement,
        max_relative_error=max(errors, default=None) if len(errors) == len(parities) else None,
    )


def _status(record: Record, *, device: Device, surroundings: Surroundings, profile: Profile) -> tuple[Status, str]:
    stop = record.stop or _contended(record, profile)
    if stop:
        return stop.status, stop.reason
    if surroundings.before and surroundings.after and throttled(surroundings.before, surroundings.after):
        return "invalid", "throttled: the device became too hot while it was measured"
    if device.emulated:
        return "not evaluated", "emulated: its timings are not those of a device"
    return "pass", ""


def _contended(record: Record, profile: Profile) -> Stop | None:
    """A stop where a process start has too few rounds in which the candidate had the CPU to itself."""
    for restart in range(profile.restarts):
        kept = len(record.kept_turns(restart))
        if kept < profile.least_rounds:
            taken = sum(turn.restart == restart for turn in record.turns)
            return Stop(
                "invalid",
                f"contended: in {kept} of {taken} rounds it had {CONTENDED:.0%} of the CPU,"
                f" {profile.least_rounds} are needed; run again when the machine is quiet",
            )
    return None


def _restart_p50_ms(record: Record, profile: Profile) -> tuple[float, ...]:
    starts = [record.kept_turns(restart) for restart in range(profile.restarts)]
    return tuple(float(median(latencies_of(turns))) / 1e6 for turns in starts if turns)


def _ratio(record: Record, peers: Sequence[Record]) -> float | None:
    """Against the fp32 candidate on the same target, over the rounds that both kept."""
    for peer in peers:
        same_target = peer.candidate.target == record.candidate.target
        if same_target and peer.candidate.placed.variant.precision == "fp32":
            own, other = _round_medians(record), _round_medians(peer)
            places = sorted(own.keys() & other.keys())
            return paired_ratio([own[place] for place in places], [other[place] for place in places])
    return None


def _round_medians(record: Record) -> dict[tuple[int, int], float]:
    """The median latency of every kept round, in ns."""
    return {(turn.restart, turn.number): median(turn.timed.latencies_ns) for turn in record.kept_turns()}
