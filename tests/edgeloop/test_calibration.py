from collections import Counter

import pytest

from edgeloop.calibration import recorded, stratified
from edgeloop.data.dataset import Sample


def samples(**counts: int) -> list[Sample]:
    return [
        Sample(id=f"{label}-{number:03d}", uri="", sha256=f"{number:064d}", split="train", label=label)
        for label, count in counts.items()
        for number in range(count)
    ]


def per_class(chosen: list[Sample]) -> dict[str | None, int]:
    return dict(Counter(sample.label for sample in chosen))


def test_classes_are_taken_in_proportion() -> None:
    assert per_class(stratified(samples(a=100, b=100, c=200), 40, seed=0)) == {"a": 10, "b": 10, "c": 20}


def test_every_class_is_met_however_rare() -> None:
    assert per_class(stratified(samples(a=1000, b=1), 10, seed=0)) == {"a": 9, "b": 1}


def test_a_class_too_small_gives_all_that_it_has() -> None:
    assert per_class(stratified(samples(a=3, b=97), 99, seed=0))["a"] == 3


def test_more_than_there_are_is_all_there_are() -> None:
    everything = samples(a=5, b=2)
    assert stratified(everything, 256, seed=0) == everything


def test_fewer_than_there_are_classes_are_still_as_many_as_asked_for() -> None:
    assert len(stratified(samples(a=2, b=2, c=2), 2, seed=0)) == 2


def test_nothing_gives_nothing() -> None:
    assert stratified([], 8, seed=0) == []


def test_the_same_seed_chooses_the_same_whatever_the_order_given() -> None:
    given = samples(a=50, b=50)
    assert stratified(given, 10, seed=3) == stratified(given[::-1], 10, seed=3)


def test_another_seed_chooses_others() -> None:
    given = samples(a=50, b=50)
    assert stratified(given, 10, seed=3) != stratified(given, 10, seed=4)


def test_samples_without_label_are_one_class() -> None:
    unlabelled = [Sample(id=str(i), uri="", sha256="0", split="train", label=None) for i in range(9)]
    assert len(stratified(unlabelled, 4, seed=0)) == 4


def test_the_record_counts_what_was_chosen() -> None:
    chosen = stratified(samples(a=5, b=2), 256, seed=0)
    record = recorded(chosen, requested=256, seed=0, method="minmax")
    assert (record["samples"], record["requested"], record["per_class"]) == (7, 256, {"a": 5, "b": 2})


def test_the_digest_names_the_samples_and_not_their_order() -> None:
    chosen = samples(a=5)
    first, second, fewer = (
        recorded(part, requested=5, seed=0, method="minmax")["digest"] for part in (chosen, chosen[::-1], chosen[:4])
    )
    assert first == second != fewer


@pytest.mark.parametrize("count", [8, 33, 256])
def test_a_larger_set_holds_the_smaller_one(count: int) -> None:
    given = samples(a=200, b=100, c=7)
    larger, smaller = stratified(given, count, seed=1), stratified(given, count // 2, seed=1)
    assert set(smaller) <= set(larger)
