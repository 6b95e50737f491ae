import pytest

from components import STEPS
from edgeloop.errors import InputFault
from edgeloop.params import RELEASE_SECTIONS, Params
from pipelines import graph, local


@pytest.fixture(scope="module")
def spec():
    return graph.compiled(Params())


def test_one_name_for_each_step_everywhere(spec):
    assert sorted(graph.order(spec)) == sorted(STEPS)
    assert list(STEPS) == ["check_params", *RELEASE_SECTIONS]


def test_the_order_follows_the_loop(spec):
    assert graph.order(spec) == list(STEPS)


def test_the_dag_has_no_control_flow(spec):
    for task in graph.tasks(spec).values():
        assert "triggerPolicy" not in task
        assert "iterator" not in task
        assert "executorLabel" in spec["components"][task["componentRef"]["name"]]


def test_every_step_waits_for_the_check_of_the_parameters(spec):
    assert "check-params" in graph.tasks(spec)["prepare-data"]["dependentTasks"]


def test_what_depends_on_the_world_is_never_cached(spec):
    for task in ("prepare-data", "benchmark", "register"):
        assert not graph.tasks(spec)[task]["cachingOptions"].get("enableCache", False)


def test_a_pipeline_begun_halfway_imports_what_it_needs(spec, tmp_path):
    for step, outputs in {
        "prepare_data": ["dataset", "profile"],
        "validate_data": ["validation"],
        "train": ["model", "history"],
        "convert": ["converted"],
        "quantize": ["quantized"],
        "benchmark": ["measurements"],
    }.items():
        for output in outputs:
            (tmp_path / step / output).mkdir(parents=True)
    partial = graph.begun_at(spec, ["check_params", "select", "evaluate", "register"], tmp_path)
    executed = {graph.step_name(name) for name in graph.tasks(partial) if not name.startswith("imported-")}
    assert executed == {"check_params", "select", "evaluate", "register"}
    for name, task in graph.tasks(partial).items():
        for source in task.get("inputs", {}).get("artifacts", {}).values():
            assert source["taskOutputArtifact"]["producerTask"] in graph.tasks(partial), name


def test_a_missing_artifact_names_the_step_to_run(spec, tmp_path):
    for needed in ("prepare_data/dataset", "validate_data/validation"):
        (tmp_path / needed).mkdir(parents=True)
    with pytest.raises(InputFault, match="run from convert first"):
        graph.begun_at(spec, ["check_params", "quantize"], tmp_path)


def test_the_compiled_pipeline_is_left_as_it_was(spec, tmp_path):
    before = graph.order(spec)
    with pytest.raises(InputFault):
        graph.begun_at(spec, ["register"], tmp_path)
    assert graph.order(spec) == before


def test_a_device_that_nobody_declared_is_refused_before_anything_runs():
    targets = [{"device": "nobodys", "runtime": "onnxruntime"}]
    params = Params.model_validate({"benchmark": {"targets": targets}})
    with pytest.raises(InputFault, match="no device named 'nobodys'"):
        local.planned(params)
    assert local.planned(params, only="prepare_data") == ["check_params", "prepare_data"]
