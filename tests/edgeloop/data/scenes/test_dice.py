import numpy as np

from edgeloop.data.scenes.dice import Dice

FIRST_THROWS = [6, 6, 2, 5, 3, 5, 6, 3, 6, 6, 2, 2]


def test_the_first_throws_of_a_key_are_frozen():
    dice = Dice(7, 3)
    assert [dice.between(1, 6) for _ in range(12)] == FIRST_THROWS


def test_another_key_throws_otherwise():
    assert Dice(1, 2).octets(64).tolist() != Dice(2, 1).octets(64).tolist()


def test_both_ends_of_a_range_are_thrown():
    dice = Dice(0)
    assert {dice.between(-1, 1) for _ in range(100)} == {-1, 0, 1}


def test_shuffling_keeps_every_item():
    assert sorted(Dice(5).shuffled(range(20))) == list(range(20))


def test_octets_have_the_asked_shape_and_the_whole_range():
    octets = Dice(0).octets(3, 41, 67)
    assert octets.shape == (3, 41, 67)
    assert (octets.min(), octets.max(), octets.dtype) == (0, 255, np.int16)
