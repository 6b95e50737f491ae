import re
from html.parser import HTMLParser

import pytest

from edgeloop.planning import EpochTime, Memory, Workload
from edgeloop.planning.drawing import times_drawn
from edgeloop.planning.page import page
from edgeloop.planning.planner import plan
from edgeloop.planning.table import facts_of

CNN = Workload(model="cnn", input_shape=(3, 32, 32), classes=10)
TIMES = tuple(EpochTime(threads=t, wall_s=4 / t, cpu_s=4) for t in (1, 2))


def planned(**changed):
    found = plan(CNN, memory=Memory(size_bytes=10**9, source="given"), calibrate=False)
    return found.model_copy(update=changed)


def test_the_page_holds_two_pictures_and_loads_nothing():
    html = page(planned(times=TIMES, times_source="calibrated"))
    assert html.count("<svg") == 2
    assert not re.search(r"(src|href)=|url\(|@import", html)


def test_the_limit_is_drawn_over_the_memory():
    assert 'class="limit"' in page(planned())


def test_the_page_says_that_reading_happens_once_and_has_no_workers():
    html = page(planned(times=TIMES, times_source="calibrated", reading_s=1.5))
    assert "1.50 s once" in html and "no loader workers" in html


@pytest.mark.parametrize(("batch", "said"), [(8, "MB in training,"), (900, "(above 80 %)"), (5000, "(does not fit)")])
def test_a_batch_that_is_too_large_is_told(monkeypatch, batch, said):
    monkeypatch.setattr("edgeloop.planning.planner.resident_bytes", lambda: 300_000_000)
    found = plan(CNN, memory=Memory(size_bytes=10**9, source="given"), batch=batch, calibrate=False)
    (peak,) = [value for name, value in facts_of(found).items() if name.startswith("peak")]
    assert said in peak.replace("\u202f", " ")


def test_without_times_there_is_no_picture_of_them():
    assert times_drawn(planned()) is None
    assert page(planned()).count("<svg") == 1


def test_every_layer_is_a_row():
    found = planned()
    html = page(found)
    assert html.count('<th scope="row">') == len(found.layers) + 1  # and their sum
    HTMLParser().feed(html)
