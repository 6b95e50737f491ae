"""The loop for real: telemetry made from real pictures sets off a successor, or nothing."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import yaml
from PIL import Image, ImageFilter

from edgeloop.data.features import compared
from edgeloop.data.features.image import COLUMNS, image_features

pytestmark = pytest.mark.slow

MODEL = "digits-smoke@champion-workstation"
SMOKE = ("--scenario", "smoke")


def telemetry(path, light):
    """What a device would report of 500 digits: as they are, or in poor light and out of focus."""
    from sklearn.datasets import load_digits

    rows = []
    for number, pixels in enumerate(load_digits().images[:500]):
        picture = Image.fromarray((pixels * 255 / 16 * light).astype(np.uint8))
        if light < 1:
            picture = picture.filter(ImageFilter.GaussianBlur(0.8))
        content = io.BytesIO()
        picture.save(content, "PNG")
        rows.append(image_features(content.getvalue(), where=str(number)))
    columns = {name: [getattr(row, name) for row in rows] for name in compared(COLUMNS)}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)


@pytest.fixture(scope="module")
def project(released):
    """A project with version 1 registered, and two windows of telemetry."""
    project = released.folder
    telemetry(project / "as-trained.parquet", 1.0)
    telemetry(project / "windows" / "dark.parquet", 0.5)
    return project


def versions(project, forked):
    ended = forked(project, "-m", "edgeloop", "registry", "list", "digits-smoke", "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def monitored(project, forked, window, *more):
    ended = forked(
        project, "-m", "pipelines", "monitor", *SMOKE, "--model", MODEL, "--telemetry", window, "--json", *more
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def successor(project, forked):
    """What a watch said of the dark window, which set off version 2."""
    looked = forked(project, "-m", "pipelines", "watch", "windows", "--once", "--model", MODEL, *SMOKE)
    assert looked.returncode == 0, looked.stderr
    return json.loads(looked.stdout)


def test_a_dark_and_blurred_window_registers_version_2_with_parent_trigger_and_report(project, successor, forked):
    assert successor["state"] == "registered"
    first, second = versions(project, forked)
    lineage = yaml.safe_load((project / "artifacts/register/bundle/lineage.yaml").read_text())
    assert lineage["subject"]["parent"]["subject_digest"] == first["subject_digest"]
    assert lineage["subject_digest"] == second["subject_digest"]
    (run,) = [piece["body"] for piece in lineage["evidence"] if piece["kind"] == "run"]
    assert run["trigger"]["reason"] == "drift"
    assert run["trigger"]["parent"] == "digits-smoke 1"
    assert run["trigger"]["window_digest"] == successor["window_digest"]
    assert second["aliases"] == ["champion-workstation"]
    assert "parent" in (project / "artifacts/report.html").read_text()


def test_the_same_window_acts_once_also_after_a_restart(project, successor, forked):
    assert successor["state"] == "registered"
    looked = forked(project, "-m", "pipelines", "watch", "windows", "--once", "--model", MODEL, *SMOKE)
    assert (looked.returncode, looked.stdout) == (0, "")
    assert monitored(project, forked, "windows/dark.parquet")["seen_before"]
    assert len(versions(project, forked)) == 2


@pytest.mark.long
def test_the_same_window_acts_once_where_the_ledger_was_lost(project, successor, forked):
    """As on a cluster, where each run begins in an empty folder: the registry remembers."""
    assert successor["state"] == "registered"
    for path in (project / ".edgeloop" / "windows").rglob("*.json"):
        path.unlink()
    before = versions(project, forked)
    outcome = monitored(project, forked, "windows/dark.parquet")
    assert outcome["state"] == "kept"
    assert "has set off version 2 already" in outcome["reason"]
    assert versions(project, forked) == before


@pytest.mark.long
def test_a_retrained_model_that_is_worse_is_kept_but_not_promoted(project, forked):
    worse = ("-S", "train.epochs=1", "-S", "train.learning_rate=0.2", "-S", "evaluate.min_metric=0")
    limits = ("-S", "quantize.schemes=[]", "-S", "train.seed=3")
    before = versions(project, forked)
    ended = forked(
        project, "-m", "pipelines", "retrain", *SMOKE, "--model", MODEL, "--reason", "manual", *worse, *limits, "--json"
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["promoted"] is False
    *others, worst = versions(project, forked)
    assert worst["aliases"] == []
    assert worst["tags"]["promotion"].startswith("champion-workstation: no, accuracy on test")
    assert others == before


def test_a_rollback_returns_to_the_version_before(project, successor, forked):
    assert successor["state"] == "registered"
    command = ("-m", "edgeloop", "registry", "rollback", "digits-smoke", "champion-workstation", "--json")
    back = forked(project, *command)
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout) == {
        "model": "digits-smoke", "alias": "champion-workstation", "version": "1", "was": "2",
    }  # fmt: skip
    assert forked(project, *command).returncode == 2


def test_another_name_than_the_models_is_refused(project, forked):
    ended = forked(project, "-m", "pipelines", "monitor", "--model", MODEL, "--telemetry", "as-trained.parquet")
    assert ended.returncode == 2
    assert "register.model_name" in ended.stderr


@pytest.mark.parametrize("every", ["10", "m", "0m", "1w", "-1m"])
def test_a_time_that_is_none_is_refused(project, forked, every):
    ended = forked(project, "-m", "pipelines", "watch", "windows", "--model", MODEL, *SMOKE, "--every", every)
    assert ended.returncode == 2
    assert "is no time" in ended.stderr
