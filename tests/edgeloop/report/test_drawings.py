import itertools
import xml.etree.ElementTree as ET

import pytest

from edgeloop.report.drawings.axes import Scale, log_spread, spread
from edgeloop.report.drawings.classes import classes_drawn
from edgeloop.report.drawings.confusion import confusion_drawn, mistakes
from edgeloop.report.drawings.curves import Curve, curves_drawn
from edgeloop.report.drawings.distributions import Distribution, distributions_drawn
from edgeloop.report.drawings.labels import Box, placed
from edgeloop.report.drawings.reliability import Bin, reliability_drawn
from edgeloop.report.drawings.svg import element
from edgeloop.report.drawings.tradeoff import Mark, front_of, tradeoff_drawn
from edgeloop.report.numerals import MICROSECONDS


def mark(number: int, ms: float, accuracy: float, *, admitted: bool = True, winner: bool = False) -> Mark:
    return Mark(number, f"candidate-{number}", ms * 0.9, ms, accuracy, admitted, winner)


def tradeoff(marks, **limits):
    given = {"max_latency_ms": None, "min_accuracy": None, **limits}
    return tradeoff_drawn(marks, unit=MICROSECONDS, quantile="p90", metric="accuracy", **given)


def parsed(picture) -> ET.Element:
    return ET.fromstring(picture.__html__())


def texts(picture) -> list[str]:
    return [node.text for node in parsed(picture).iter("text")]


def test_text_and_attributes_are_escaped():
    assert element("text", "<b>&", class_='"x').__html__() == '<text class="&quot;x">&lt;b&gt;&amp;</text>'


def test_numbers_are_written_short():
    assert element("line", x1=1.0, stroke_width=0.12345).__html__() == '<line x1="1" stroke-width="0.12"/>'


def test_a_logarithmic_scale_puts_equal_ratios_at_equal_distances():
    scale = Scale(1, 100, 0, 200, logarithmic=True)
    assert [scale.at(v) for v in (1, 10, 100)] == pytest.approx([0, 100, 200])


@pytest.mark.parametrize("scale", [Scale(0.011, 0.9, 0, 1, True), Scale(1.1, 1.9, 0, 1, True), Scale(0.9, 1, 0, 1)])
def test_ticks_lie_inside_and_are_a_few(scale):
    ticks = scale.ticks()
    assert 3 <= len(ticks) <= 9 and all(scale.low <= tick <= scale.high for tick in ticks)


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [1e-9, 1e9]])
def test_a_spread_is_never_of_no_width(values):
    low, high = spread(values)
    assert low < min(values) and high > max(values)


def test_a_spread_of_equal_times_reaches_a_factor_of_two():
    low, high = log_spread([3.0])
    assert high / low >= 2


def test_labels_overlap_neither_each_other_nor_points():
    points = [(200 + 6 * k, 150 + 5 * (k % 5)) for k in range(10)]
    labels = placed(points, [f"a candidate {k}" for k in range(10)], area=Box(0, 0, 800, 400))
    boxes = [label.box for label in labels if label is not None]
    dots = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    assert len(boxes) == 10
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].touches(pair[1])]
    assert not [pair for pair in itertools.product(boxes, dots) if pair[0].touches(pair[1])]


def test_labels_stay_in_their_area_and_give_way_where_there_is_none():
    area = Box(0, 0, 100, 40)
    labels = placed([(50, 20)] * 9, ["a name"] * 9, area=area)
    assert None in labels
    assert all(area.holds(label.box) for label in labels if label is not None)


def test_the_front_is_who_is_beaten_by_nobody():
    marks = [mark(1, 1, 0.90), mark(2, 2, 0.95), mark(3, 3, 0.94), mark(4, 4, 0.99), mark(5, 0.5, 0.99, admitted=False)]
    assert [m.number for m in front_of(marks)] == [1, 2, 4]


def test_of_equals_one_stands_for_the_front():
    assert len(front_of([mark(1, 1, 0.9), mark(2, 1, 0.9)])) == 1


def test_the_winner_is_ringed_and_rejected_ones_are_hollow():
    marks = [mark(1, 1, 0.9, winner=True), mark(2, 2, 0.8, admitted=False), mark(3, 3, 0.95)]
    kinds = [node.get("class") for node in parsed(tradeoff(marks)).iter("circle")]
    assert kinds == ["ring", "spot winner", "spot rejected", "spot admitted"]


def test_limits_are_drawn_and_named():
    shown = texts(tradeoff([mark(1, 1, 0.9)], max_latency_ms=2.0, min_accuracy=0.85))
    assert [text for text in shown if text.startswith("limit")] == ["limit 2,000\u202fµs", "limit 85.00\u202f%"]


def test_many_candidates_are_numbered_but_for_winner_and_front():
    marks = [mark(k, 0.1 * k, 0.9 - 0.001 * k, winner=k == 3) for k in range(1, 15)]
    shown = texts(tradeoff(marks))
    assert "★ candidate-3" in shown and "candidate-1" in shown
    assert "5" in shown and "candidate-5" not in shown


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_one_candidate_at_either_end_is_drawn(accuracy):
    assert "nan" not in tradeoff([mark(1, 1e-6, accuracy)]).__html__()


def test_a_curve_is_broken_where_values_are_missing():
    curve = Curve("val", (1.0, None, 0.5, 0.4))
    picture = curves_drawn([1, 2, 3, 4], [curve], title="Loss", y_label="loss", y_text=str)
    drawn = parsed(picture)
    assert len([n for n in drawn.iter("polyline") if n.get("class") == "curve"]) == 1
    assert len(list(drawn.iter("circle"))) == 1


def test_one_epoch_is_drawn():
    picture = curves_drawn([1], [Curve("val", (0.5,))], title="Loss", y_label="loss", y_text=str, logarithmic=True)
    assert parsed(picture).get("role") == "img"


def test_curves_without_a_value_are_no_picture():
    assert curves_drawn([1, 2], [Curve("val", (None, None))], title="", y_label="", y_text=str) is None


def test_names_of_curves_that_end_together_are_kept_apart():
    curves = [Curve("train", (1.0, 0.1)), Curve("val", (1.0, 0.1))]
    drawn = parsed(curves_drawn([1, 2], curves, title="", y_label="", y_text=str))
    heights = [float(n.get("y")) for n in drawn.iter("text") if n.text in ("train", "val")]
    assert abs(heights[0] - heights[1]) >= 14


def test_the_matrix_shows_every_count_but_zeros():
    picture = confusion_drawn(["a", "b"], [[3, 1], [0, 4]], title="on test")
    assert sorted(text for text in texts(picture) if text.isdigit()) == ["1", "3", "4"]


def test_mistakes_are_sorted_by_how_often_they_happen():
    assert mistakes(["a", "b"], [[3, 1], [7, 4]]) == [("b", "a", 7), ("a", "b", 1)]


def test_a_matrix_of_too_many_classes_is_no_picture():
    assert confusion_drawn([str(k) for k in range(61)], [[0] * 61] * 61, title="") is None


def test_a_distribution_of_equal_samples_is_drawn():
    one = Distribution("a", (0.5, 0.5), {"p50": 0.5}, winner=True)
    assert "★ a" in texts(distributions_drawn([one], unit=MICROSECONDS))


def test_of_many_classes_the_smallest_and_the_largest_are_shown():
    rows = [(f"class {k}", (k, 0)) for k in range(1, 101)]
    shown = texts(classes_drawn(rows, ["train", "val"]))
    assert "class 1" in shown and "class 100" in shown and "class 50" not in shown
    assert any("60 classes" in text for text in shown)


def test_bins_without_samples_leave_a_gap():
    bins = [Bin(0.0, 0.5, 0, None, None), Bin(0.5, 1.0, 12, 0.9, 0.8)]
    bars = [n for n in parsed(reliability_drawn(bins, title="on test")).iter("rect") if n.get("class") == "bar"]
    assert len(bars) == 2


def test_no_sample_is_no_reliability():
    assert reliability_drawn([Bin(0, 1, 0, None, None)], title="") is None


def test_ticks_over_many_decades_are_a_few_powers_of_ten():
    scale = Scale(1e-9, 1e9, 0, 1, logarithmic=True)
    ticks = scale.ticks()
    assert 3 <= len(ticks) <= 9 and all(0 <= scale.at(tick) <= 1 for tick in ticks)


def test_the_largest_and_smallest_numbers_have_an_axis():
    low, high = log_spread([5e-324, 1e308])
    assert 0 < low < high < float("inf")
