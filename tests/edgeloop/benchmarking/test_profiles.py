import pytest

from edgeloop.benchmarking.profiles import PROFILES, Profile
from edgeloop.benchmarking.statistics import upper_rank


def kept_at_least(profile: Profile) -> int:
    return profile.restarts * profile.least_rounds * profile.round_queries


def test_process_starts() -> None:
    assert [PROFILES[name].restarts for name in ("quick", "standard", "strict")] == [1, 3, 5]


@pytest.mark.parametrize(("name", "share"), [("quick", 0.9), ("standard", 0.99), ("strict", 0.99)])
def test_what_passes_has_a_bound_on_the_quantile_that_the_profile_is_for(name: str, share: float) -> None:
    assert upper_rank(kept_at_least(PROFILES[name]), share) is not None  # type: ignore[index]


def test_strict_meets_the_single_stream_minimum_of_mlperf() -> None:
    strict = PROFILES["strict"]
    assert kept_at_least(strict) >= 1024
    assert strict.restarts * strict.least_rounds * strict.round_ms >= 60_000


def test_quick_measures_three_candidates_within_three_seconds() -> None:
    quick = PROFILES["quick"]
    assert 3 * (quick.rounds * quick.round_ms + quick.warm_up_ms) <= 3_000
