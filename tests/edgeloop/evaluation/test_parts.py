from edgeloop.data.dataset import Sample
from edgeloop.evaluation.parts import parts_of


def sample(number: int, metadata: str | None, group: str | None = None) -> Sample:
    return Sample(str(number), "uri", None, "test", "a", group=group, metadata=metadata)


def test_the_metric_is_taken_of_every_value_of_a_column_and_of_the_groups() -> None:
    samples = [
        sample(0, '{"condition": "fog"}', "one"),
        sample(1, '{"condition": "day"}', "two"),
        sample(2, None, "one"),
    ]
    parts = parts_of(("condition", "group", "none"), samples=samples, judged=lambda places: float(sum(places)))
    assert [(part.column, part.value, part.samples, part.metric) for part in parts] == [
        ("condition", "day", 1, 1.0), ("condition", "fog", 1, 0.0), ("group", "one", 2, 2.0), ("group", "two", 1, 1.0),
    ]  # fmt: skip
