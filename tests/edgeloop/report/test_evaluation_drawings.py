import xml.etree.ElementTree as ET

from edgeloop.examples import Example, WindowExample
from edgeloop.report.drawings.examples import SIDE, example_drawn
from edgeloop.report.drawings.occlusion import pictures_drawn, window_drawn
from edgeloop.report.drawings.precision_recall import ClassCurve, precision_recall_drawn
from edgeloop.report.drawings.robustness import Fall, robustness_drawn
from edgeloop.tasks import Mark


def parsed(picture) -> ET.Element:
    return ET.fromstring(picture.__html__())


def texts(picture) -> list[str]:
    return [node.text for node in parsed(picture).iter("text")]


def of_class(picture, name: str, kind: str) -> list[ET.Element]:
    return [node for node in parsed(picture).iter(kind) if name in (node.get("class") or "").split()]


def example(**fields) -> Example:
    return Example(id="one/<b>", picture="AAAA", media="png", width=8, height=4, told="8, taken for 3 (0.72)", **fields)


def test_a_panel_a_corruption_and_a_line_a_variant():
    falls = [Fall(v, c, (0.9, 0.8, 0.7, 0.6)) for v in ("float", "int8") for c in ("noise", "blur")]
    picture = robustness_drawn(falls, metric="accuracy")
    assert {"noise", "blur", "float", "int8"} <= set(texts(picture))
    assert len(of_class(picture, "curve", "polyline")) == 4


def test_grey_variants_share_an_entry_of_the_legend_and_a_single_one_is_named():
    def drawn(variants: int) -> set[str]:
        falls = [Fall(f"variant-{n}", "noise", (0.9, 0.8, 0.7, 0.6)) for n in range(variants)]
        return set(texts(robustness_drawn(falls, metric="auc")))

    assert {"variant-2", "variant-3"} <= drawn(4)
    assert "7 others" in drawn(10) and "variant-3" not in drawn(10)


def test_a_cell_without_a_metric_is_a_gap():
    picture = robustness_drawn([Fall("float", "noise", (0.9, None, 0.7, 0.6))], metric="accuracy")
    assert len(list(parsed(picture).iter("circle"))) == 3
    assert len(of_class(picture, "curve", "polyline")) == 1


def test_metrics_that_are_all_the_same_are_drawn_and_none_are_not():
    assert robustness_drawn([Fall("float", "noise", (1.0,) * 4)], metric="auc") is not None
    assert robustness_drawn([Fall("float", "noise", (None,) * 4)], metric="auc") is None
    assert robustness_drawn([], metric="auc") is None


def test_the_worst_classes_are_named_and_the_others_counted():
    curves = [ClassCurve(f"c{k}", (1.0, k / 10)) for k in range(6)]
    shown = texts(precision_recall_drawn(curves, title="on test"))
    assert any(text.startswith("c0, average precision 50.0") for text in shown)
    assert any(text.startswith("3 other classes, 65.0") for text in shown)
    assert not any(text.startswith("c3,") for text in shown)


def test_classes_without_a_curve_are_left_out():
    assert precision_recall_drawn([ClassCurve("none", ())], title="") is None
    picture = precision_recall_drawn([ClassCurve("none", ()), ClassCurve("a", (1.0, 0.5))], title="")
    assert len(of_class(picture, "curve", "polyline")) == 1


def test_a_picture_stands_beside_what_its_answer_hangs_on():
    picture = pictures_drawn([example(importance=((0.0, 0.5), (-0.2, 0.25)))])
    assert len(list(parsed(picture).iter("image"))) == 2
    opacities = [float(node.get("fill-opacity")) for node in of_class(picture, "heat", "rect")]
    assert opacities == [0.8, 0.4]
    assert "8, taken for 3 (0.72)" in texts(picture)


def test_a_picture_that_nothing_hangs_on_is_drawn_bare():
    assert not of_class(pictures_drawn([example(importance=((0.0,),))]), "heat", "rect")
    assert not of_class(pictures_drawn([example()]), "heat", "rect")
    assert pictures_drawn([]) is None


def test_a_window_has_a_line_a_channel_over_its_stretches():
    window = WindowExample(id="w", told="", points=4, channels=((0.0, 1, 2, 3), (0.0,) * 4), importance=(0.5, -0.5))
    picture = window_drawn(window)
    assert len(of_class(picture, "curve", "polyline")) == 2
    assert len(of_class(picture, "heat", "rect")) == 1


def test_of_many_channels_some_are_shown_and_the_others_counted():
    shown = texts(window_drawn(WindowExample(id="w", told="", axis="band", points=2, channels=((0.0, 1),) * 9)))
    assert "channel 4" in shown and "channel 5" not in shown
    assert "band (5 more channels are not shown)" in shown


def test_a_window_of_one_reading_that_is_all_the_same_is_drawn():
    assert "nan" not in window_drawn(WindowExample(id="w", told="", points=1, channels=((0.0,),))).__html__()


def mark(kind: str, text: str, left: float = 0.25) -> Mark:
    return Mark(kind=kind, text=text, left=left, top=0.5, width=0.5, height=0.25)


def test_boxes_are_drawn_where_they_are_and_their_text_is_escaped():
    picture = example_drawn(example(marks=(mark("missed", "<b>"),)))
    ((box,), (image,)) = (list(parsed(picture).iter(name)) for name in ("rect", "image"))
    width, height = (float(image.get(side)) for side in ("width", "height"))
    places = [float(box.get(name)) for name in ("x", "y", "width", "height")]
    assert places == [width / 4, height / 2, width / 2, height / 4]
    assert texts(picture) == ["<b>"]


def test_names_lie_inside_the_picture_and_not_on_each_other():
    marks = tuple(mark("wrong", "recommendation 0.91", left=0.49) for _ in range(9))
    places = [(float(n.get("x")), float(n.get("y"))) for n in parsed(example_drawn(example(marks=marks))).iter("text")]
    assert all(0 <= x <= SIDE - 100 for x, _ in places)
    assert len(set(places)) == 9


def test_the_object_of_a_right_box_is_drawn_below_it_and_has_no_name():
    picture = example_drawn(example(marks=(mark("right", "stop"), mark("true", "stop"))))
    assert [node.get("class") for node in parsed(picture).iter("rect")] == ["mark true", "mark right"]
    assert texts(picture) == ["stop"]
