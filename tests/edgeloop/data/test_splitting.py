import random
from collections import Counter

import pytest

from edgeloop.data.splitting import Member, assigned_splits, given_splits, split_counts, splits_in_time
from edgeloop.errors import DataFault

SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}


def members(**sizes: int) -> list[Member]:
    return [
        Member(content=f"{label}{n}", label=label, group=None, readable=True)
        for label, size in sizes.items()
        for n in range(size)
    ]


@pytest.mark.parametrize(
    ("size", "expected"), [(100, (70, 10, 20)), (10, (7, 1, 2)), (3, (1, 1, 1)), (4, (2, 1, 1)), (1, (1, 0, 0))]
)
def test_counts_follow_the_shares_and_leave_no_split_empty(size, expected):
    assert tuple(split_counts(size, SHARES).values()) == expected


@pytest.mark.parametrize("size", range(1, 60))
def test_counts_add_up(size):
    assert sum(split_counts(size, SHARES).values()) == size


def test_every_class_has_the_shares():
    everyone = members(cat=200, dog=50)
    splits = assigned_splits(everyone, SHARES, seed=0)
    found = Counter((m.label, split) for m, split in zip(everyone, splits, strict=True))
    assert found == {
        ("cat", "train"): 140, ("cat", "val"): 20, ("cat", "test"): 40,
        ("dog", "train"): 35, ("dog", "val"): 5, ("dog", "test"): 10,
    }  # fmt: skip


def test_the_order_of_the_samples_does_not_matter():
    everyone = members(cat=30, dog=20)
    shuffled = random.Random(1).sample(everyone, len(everyone))
    by_content = dict(zip([m.content for m in everyone], assigned_splits(everyone, SHARES, seed=3), strict=True))
    again = dict(zip([m.content for m in shuffled], assigned_splits(shuffled, SHARES, seed=3), strict=True))
    assert again == by_content


def test_another_seed_gives_another_split():
    everyone = members(cat=30)
    assert assigned_splits(everyone, SHARES, seed=0) != assigned_splits(everyone, SHARES, seed=1)


def test_a_group_stays_whole():
    everyone = [Member(f"{n}", "cat" if n % 2 else "dog", f"track {n // 7}", True) for n in range(140)]
    splits = assigned_splits(everyone, SHARES, seed=0)
    assert len({(m.group, split) for m, split in zip(everyone, splits, strict=True)}) == 20


def test_groups_come_near_the_shares():
    everyone = [Member(f"{n}", "cat", f"track {n // 5}", True) for n in range(500)]
    counts = Counter(assigned_splits(everyone, SHARES, seed=0))
    assert counts == {"train": 350, "val": 50, "test": 100}


def test_equal_pictures_of_one_class_stay_together():
    everyone = [*members(cat=50), *members(cat=50)]
    splits = assigned_splits(everyone, SHARES, seed=0)
    assert splits[:50] == splits[50:]


def test_unreadable_samples_take_no_readable_ones_place():
    readable = members(cat=10)
    unreadable = [Member(f"bad{n}", "cat", None, False) for n in range(10)]
    splits = assigned_splits([*readable, *unreadable], SHARES, seed=0)
    assert Counter(splits[:10]) == {"train": 7, "val": 1, "test": 2}


def in_time(*groups: str | None) -> list[str]:
    everyone = [Member(content=f"{n}", label="a", group=group, readable=True) for n, group in enumerate(groups)]
    return splits_in_time(everyone, [(f"{n}", f"{n:03d}") for n in range(len(groups))], SHARES)


def test_in_time_train_comes_first_and_test_last():
    assert in_time(*[None] * 100) == ["train"] * 70 + ["val"] * 10 + ["test"] * 20


def test_in_time_a_group_goes_where_its_latest_sample_goes():
    splits = in_time("track", *[None] * 98, "track")
    assert splits[0] == splits[-1] == "test"


def test_the_order_of_the_samples_does_not_matter_in_time():
    everyone = members(cat=30)
    times = [(member.content, f"{n:03d}") for n, member in enumerate(everyone)]
    forwards = dict(zip(times, splits_in_time(everyone, times, SHARES), strict=True))
    backwards = dict(zip(times[::-1], splits_in_time(everyone[::-1], times[::-1], SHARES), strict=True))
    assert forwards == backwards


def test_a_sample_without_a_time_is_named():
    with pytest.raises(DataFault, match="b has no time"):
        splits_in_time(members(cat=2), [("a", "1"), ("b", None)], SHARES)


def test_given_splits_are_taken_as_they_are():
    assert given_splits([("a", "test"), ("b", "train")]) == ["test", "train"]


@pytest.mark.parametrize(("split", "words"), [(None, "b is in no split"), ("holdout", "b is in the split 'holdout'")])
def test_a_sample_without_a_given_split_is_named(split, words):
    with pytest.raises(DataFault, match=words):
        given_splits([("a", "test"), ("b", split)])


def showing(count: int, classes: int) -> list[Member]:
    """Pictures of none to many classes, of which each next one is rarer."""
    drawn = random.Random(0)
    weights = [1 / n for n in range(1, classes + 1)]
    shown = [sorted(set(drawn.choices(range(classes), weights, k=drawn.randrange(6)))) for _ in range(count)]
    return [Member(str(n), None, None, True, tuple(map(str, found))) for n, found in enumerate(shown)]


def test_pictures_of_many_classes_keep_the_shares():
    everyone = showing(1000, 20)
    counts = Counter(assigned_splits(everyone, SHARES, seed=0))
    assert all(abs(counts[name] - 1000 * share) <= 5 for name, share in SHARES.items())


def test_every_class_that_pictures_show_comes_near_the_shares():
    everyone = showing(1000, 20)
    splits = assigned_splits(everyone, SHARES, seed=0)
    found = Counter((name, split) for m, split in zip(everyone, splits, strict=True) for name in m.shown)
    sizes = Counter(name for m in everyone for name in m.shown)
    assert all(abs(found[name, split] - n * SHARES[split]) <= 4 for name, n in sizes.items() for split in SHARES)


def test_equal_pictures_with_other_boxes_stay_together():
    everyone = showing(60, 3)
    twins = [Member(m.content, None, None, True, ("other",)) for m in everyone]
    splits = assigned_splits([*everyone, *twins], SHARES, seed=0)
    assert splits[:60] == splits[60:]
