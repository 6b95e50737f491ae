"""How long and how often: the three profiles, as frozen values.

Every minimum is a duration *and* a count, and both have to be met, as in MLPerf Inference: a duration alone leaves a
slow model with a handful of samples, a count alone leaves a fast one with a few milliseconds of one clock state.
docs/benchmarking.md tells where the figures come from and what each profile does not claim.
"""

from pydantic import Field

from edgeloop.benchmarking import ProfileName
from edgeloop.contract import Contract


class Profile(Contract):
    """Durations and counts of one profile; every one of them per candidate."""

    name: ProfileName
    restarts: int = Field(description="process starts; each loads, warms up and is measured anew")
    rounds: int = Field(description="uncontended rounds wanted in each restart")
    extra_rounds: int = Field(description="at most this many more in each restart, for rounds that were contended")
    least_rounds: int = Field(description="uncontended rounds in each restart below which the candidate is invalid")
    round_ms: int = Field(description="shortest duration of a round")
    round_queries: int = Field(description="fewest samples of a round")
    warm_up_ms: int = Field(description="shortest warm-up")
    warm_up_queries: int = Field(description="fewest queries of the warm-up")
    warm_up_limit_ms: int = Field(description="longest warm-up of a candidate that does not settle")
    settled: float = Field(default=0.05, description="warm when the medians of two windows differ by no more")


CONTENDED = 0.95
"""Process time over wall time and threads; below it, something else had the CPU."""

CLOCK_MARGIN = 50
"""A timed block lasts at least this many times what reading the clock costs."""

_QUICK = Profile(
    name="quick", restarts=1, rounds=10, extra_rounds=30, least_rounds=5, round_ms=60, round_queries=10,
    warm_up_ms=100, warm_up_queries=20, warm_up_limit_ms=1_000,
)  # fmt: skip
_STANDARD = Profile(
    name="standard", restarts=3, rounds=20, extra_rounds=40, least_rounds=15, round_ms=200, round_queries=20,
    warm_up_ms=1_000, warm_up_queries=50, warm_up_limit_ms=10_000,
)  # fmt: skip
_STRICT = Profile(
    name="strict", restarts=5, rounds=30, extra_rounds=30, least_rounds=30, round_ms=400, round_queries=40,
    warm_up_ms=3_000, warm_up_queries=100, warm_up_limit_ms=30_000,
)  # fmt: skip

PROFILES: dict[ProfileName, Profile] = {profile.name: profile for profile in (_QUICK, _STANDARD, _STRICT)}
