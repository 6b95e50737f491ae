"""What only the whole dataset can tell about a sample."""

import numpy as np
import pandas as pd
import pytest

from edgeloop.data.frame import BLUR_SCALE, NEAR_SIDE_PIXELS, blur_of, near_copies_of, with_derived


def table(rows: int, **columns) -> pd.DataFrame:
    """Readable samples with nothing in common."""
    whole = {
        "id": [f"{n:03d}" for n in range(rows)],
        "sha256": [f"{n:064x}" for n in range(rows)],
        "split": ["train"] * rows,
        "label": ["cat"] * rows,
        "group": [None] * rows,
        "boxes": [None] * rows,
        "error": [None] * rows,
    }
    return pd.DataFrame({**whole, **columns})


def pictures(rows: int, **columns) -> pd.DataFrame:
    """The same with all that is looked at in a picture, far from each other."""
    seen = {
        "width": [64] * rows,
        "height": [48] * rows,
        "channels": [3] * rows,
        "mean": [100.0] * rows,
        "std": [20.0] * rows,
        "sharpness": [500.0] * rows,
        "dhash": [f"{0x0123456789ABCDEF * (n + 1) % 2**64:016x}" for n in range(rows)],
    }
    return table(rows, **{**seen, **columns})


def test_samples_without_pictures_have_the_columns_of_every_kind():
    derived = set(with_derived(table(3)).columns) - set(table(3).columns)
    assert derived == {
        "readable",
        "copies",
        "labels_of_bytes",
        "splits_of_bytes",
        "splits_of_group",
        "class_balance",
        "split_share",
    }


def test_the_argument_is_left_as_it_is():
    frame = pictures(3)
    before = frame.copy()
    with_derived(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_samples_without_labels_have_no_class_balance():
    frame = with_derived(pictures(3, label=[None] * 3))
    assert frame["class_balance"].isna().all()
    assert frame["split_share"].isna().all()


def test_class_balance_is_the_share_of_the_largest_class():
    frame = with_derived(table(4, label=["cat", "cat", "dog", "dog"], error=[None, None, None, "bad"]))
    assert list(frame["class_balance"]) == [1, 1, 0.5, 0.5]


def test_split_share_is_the_share_of_the_class():
    frame = with_derived(table(4, label=["cat"] * 3 + ["dog"], split=["train", "train", "val", "val"]))
    assert list(frame["split_share"]) == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1])


def test_a_class_without_a_readable_sample_has_no_split_share():
    frame = with_derived(table(2, label=["cat", "dog"], error=[None, "bad"]))
    assert frame["split_share"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("label", ["cat", "dog", "cat"], [2, 2, 1]),
        ("boxes", ['[["a",0,0,1,1]]', '[["a",0,0,2,1]]', "[]"], [2, 2, 1]),
        ("boxes", ["[]", "[]", None], [1, 1, 0]),
    ],
)
def test_the_same_bytes_have_one_label_or_one_set_of_boxes(column, values, expected):
    labels = {"label": [None] * 3} if column == "boxes" else {}
    frame = with_derived(table(3, **{"sha256": ["a", "a", "b"], **labels, column: values}))
    assert list(frame["labels_of_bytes"]) == expected


def test_samples_without_bytes_are_nobodys_copies():
    frame = with_derived(table(3, sha256=[None] * 3, error=["bad"] * 3))
    assert list(frame["copies"]) == [1, 1, 1]


def test_the_usual_channels_are_those_of_most_pictures():
    frame = with_derived(pictures(4, channels=[3, 3, 1, None]))
    assert list(frame["usual_channels"]) == [True, True, False, None]


def test_a_picture_that_is_blurred_stands_out_in_its_class():
    sharpness = pd.Series([500.0, 450.0, 550.0, 480.0, 2.0])
    found = blur_of(sharpness, pd.Series(["cat"] * 5))
    assert found.idxmax() == 4
    assert found[4] == pytest.approx((np.log2(481) - np.log2(3)) / BLUR_SCALE)


def test_a_smooth_class_beside_a_sharp_one_is_not_blurred():
    sharpness = pd.Series([5000.0] * 5 + [2.0] * 5)
    assert (blur_of(sharpness, pd.Series(["grass"] * 5 + ["sky"] * 5)) == 0).all()


def test_a_class_that_varies_more_is_measured_by_its_own_spread():
    sharpness = pd.Series([2.0**n for n in range(1, 20)])
    assert blur_of(sharpness, pd.Series([None] * 19)).max() < 2


def test_an_unreadable_picture_has_no_blur():
    assert blur_of(pd.Series([1.0, None]), pd.Series(["cat"] * 2)).isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("change", "copies"),
    [
        ({}, 2),
        ({"dhash": ["00000000000000ff", "00000000000000fe"]}, 2),
        ({"dhash": ["00000000000000ff", "00000000000000fc"]}, 1),
        ({"mean": [100.0, 101.0]}, 2),
        ({"mean": [100.0, 101.5]}, 1),
        ({"std": [20.0, 21.5]}, 1),
        ({"sha256": ["a", "a"]}, 1),
        ({"width": [64, NEAR_SIDE_PIXELS - 1]}, 1),
    ],
)
def test_near_copies_differ_in_one_bit_and_hardly_in_grey_but_in_their_bytes(change, copies):
    frame = pictures(2, **{"dhash": ["00000000000000ff"] * 2, **change})
    assert list(near_copies_of(frame)[0]) == [copies, copies]


def test_splits_of_near_copies_are_counted_once_each():
    hashes = ["00000000000000ff"] * 3 + ["ff00000000000000"]
    found = near_copies_of(pictures(4, dhash=hashes, split=["train", "test", "test", "val"]))
    assert (list(found[0]), list(found[1])) == ([3, 3, 3, 1], [2, 2, 2, 1])


def test_an_unreadable_picture_is_nobodys_near_copy():
    frame = pictures(2, dhash=["00000000000000ff", None], mean=[100.0, None], std=[20.0, None], width=[64, None])
    found = near_copies_of(frame)
    assert (list(found[0].isna()), found[0][0]) == ([False, True], 1)


def test_no_picture_at_all_has_no_near_copies():
    frame = pictures(2, dhash=[None, None])
    assert all(column.isna().all() for column in near_copies_of(frame))


@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_blocks_find_the_pairs_that_comparing_all_finds(spread, monkeypatch):
    monkeypatch.setattr("edgeloop.data.frame._BLOCK_PAIRS", 500)
    random = np.random.default_rng(0)
    hashes = random.integers(0, 4, 150)
    frame = pictures(
        150,
        mean=random.normal(100, spread, 150),
        std=random.normal(20, 0.5, 150),
        dhash=[f"{value:016x}" for value in hashes],
    )
    means, stds = frame["mean"].to_numpy(), frame["std"].to_numpy()
    near = np.bitwise_count(hashes[:, None] ^ hashes) <= 1
    near &= (abs(means[:, None] - means) <= 1) & (abs(stds[:, None] - stds) <= 1)
    assert list(near_copies_of(frame)[0]) == list(near.sum(axis=1))


def test_a_picture_with_boxes_counts_for_its_rarest_class():
    boxes = ['[["cat",0,0,1,1],["dog",0,0,1,1]]', '[["cat",0,0,1,1]]', '[["#7",0,0,1,1]]', "[]", None]
    found = with_derived(table(5, label=[None] * 5, boxes=boxes))["class_balance"]
    assert list(found.dropna()) == [0.5, 1]


def test_a_picture_with_boxes_has_the_largest_split_share_of_its_classes():
    boxes = ['[["cat",0,0,1,1],["dog",0,0,1,1]]', '[["cat",0,0,1,1]]']
    frame = with_derived(table(2, label=[None] * 2, boxes=boxes, split=["train", "test"]))
    assert list(frame["split_share"]) == [1, 0.5]


@pytest.mark.parametrize("factor", [9.80665, 1000, 1e-5])
def test_a_window_in_another_unit_stands_out_in_its_class(factor):
    levels = 2 ** np.random.default_rng(0).uniform(-0.5, 0.5, 40)
    levels[7] *= factor
    shift = with_derived(table(40, rms=levels))["scale_shift"]
    assert shift[7] > 6 > 4 > shift.drop(7).max()


def test_a_window_without_a_level_has_no_shift():
    assert list(with_derived(table(3, rms=[0.0, None, 1.0]))["scale_shift"].isna()) == [True, True, False]
