import pytest

from components.dvc import variables_of


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def stage_of(project, **more):
    return {"DVC_STAGE": "train", "DVC_ROOT": str(project), **more}


def test_a_step_that_dvc_did_not_call_takes_nothing_over(project):
    assert variables_of({"DVC_ROOT": str(project)}, project.parent) == {}


def test_a_stage_in_the_project_only_says_which_engine_ran_it(project):
    assert variables_of(stage_of(project), project) == {"EDGELOOP_ENGINE": "dvc"}


def test_a_copy_of_the_project_uses_the_key_and_the_registry_of_the_project(project, tmp_path):
    assert variables_of(stage_of(project), tmp_path) == {
        "EDGELOOP_ENGINE": "dvc",
        "EDGELOOP_SIGNING_KEY": f"{project}/.edgeloop/signing.pem",
        "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db",
    }


def test_what_the_user_set_stays(project, tmp_path):
    theirs = {"EDGELOOP_SIGNING_KEY": "/secrets/key.pem", "MLFLOW_TRACKING_URI": "http://server"}
    assert variables_of(stage_of(project, **theirs), tmp_path) == {"EDGELOOP_ENGINE": "dvc"}
