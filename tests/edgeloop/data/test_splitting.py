import random
from collections import Counter

import pytest

from edgeloop.data.splitting import Member, assigned_splits, split_counts

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
