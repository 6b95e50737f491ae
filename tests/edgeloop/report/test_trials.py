"""What the page says of trials and of the learning curve."""

from pathlib import Path
from typing import Any

from edgeloop.lineage.subject import TrialRecord
from edgeloop.report import of_artifacts
from edgeloop.report.page import page
from edgeloop.training.cost import Cost, PartCost
from edgeloop.training.summary import GrowthPoint, TrainingSummary

TRIALS = (
    TrialRecord(overrides={"learning_rate": 0.1}, epochs=2, steps=9, fault="the training diverged: the loss is nan"),
    TrialRecord(
        overrides={"model": "resnet"}, metric=0.97, val_loss=0.1, parameters=77_000, epochs=30, best_epoch=7, steps=600,
        chosen=True,
    ),
    TrialRecord(overrides={}, metric=0.96, val_loss=0.1, parameters=53_000, epochs=30, best_epoch=9, steps=600),
)  # fmt: skip
CURVE = (
    GrowthPoint(share=0.01, samples=12, fault="the network cannot learn from such a batch"),
    GrowthPoint(share=0.1, samples=125, metric=0.81, val_loss=0.5),
    GrowthPoint(share=1, samples=1257, metric=0.97, val_loss=0.1),
)


def training_section(artifacts: Path, **changes: Any) -> str:
    path = artifacts / "train/model/training.json"
    TrainingSummary.read(path).model_copy(update=changes).write(path)
    text = page(of_artifacts(artifacts, title="digits"))
    return text.partition('<section id="training"')[2].partition("</section>")[0]


def test_the_chosen_trial_is_marked(run):
    text = training_section(run.artifacts, trials=TRIALS)
    row = text.partition('<tr class="winner">')[2].partition("</tr>")[0]
    assert "trial 2" in row
    assert "model resnet" in row
    assert "chosen" in row
    assert text.count("chosen") == 1


def test_a_trial_that_diverged_says_why(run):
    assert "the training diverged: the loss is nan" in training_section(run.artifacts, trials=TRIALS)


def test_the_time_of_a_trial_comes_from_the_cost(run):
    cost = Cost(wall_s=9, cpu_s=9, peak_memory_bytes=None, parts=(PartCost(name="trial 2", wall_s=7.25, cpu_s=7),))
    cost.write(run.artifacts / "train/history/cost.json")
    assert "7.25" in training_section(run.artifacts, trials=TRIALS)


def test_the_learning_curve_is_drawn_and_told(run):
    text = training_section(run.artifacts, learning_curve=CURVE)
    assert "Learning curve: accuracy on val" in text
    assert "with 125 samples" in text


def test_a_point_that_is_missing_says_why(run):
    text = training_section(run.artifacts, learning_curve=CURVE)
    assert "With 12 samples of train: the network cannot learn from such a batch." in text


def test_without_trials_and_curve_nothing_is_said_of_them(run):
    text = training_section(run.artifacts)
    assert "Trials" not in text
    assert "Learning curve" not in text
