from edgeloop.benchmarking.plan import turns

NAMES = ["a", "b", "c", "d"]


def test_each_round_is_a_permutation() -> None:
    assert all(sorted(turns(NAMES, seed=0, restart=0, turn=n)) == NAMES for n in range(20))


def test_rounds_differ() -> None:
    assert len({tuple(turns(NAMES, seed=0, restart=0, turn=n)) for n in range(20)}) > 5


def test_the_order_follows_from_seed_restart_and_round() -> None:
    assert turns(NAMES, seed=3, restart=1, turn=7) == turns(NAMES[::-1], seed=3, restart=1, turn=7)


def test_every_candidate_goes_first_about_equally_often() -> None:
    first = [turns(NAMES, seed=0, restart=0, turn=n)[0] for n in range(2000)]
    assert all(400 < first.count(name) < 600 for name in NAMES)
