import types
import typing
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from edgeloop import params, plugins, reference
from edgeloop.errors import ParamsFault


def refused(tmp_path, text, *overrides):
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(ParamsFault) as caught:
        params.load(file, overrides=overrides)
    return caught.value.line()


def test_an_empty_file_is_the_defaults(tmp_path):
    (tmp_path / "params.yaml").write_text("")
    assert params.load(tmp_path / "params.yaml") == params.Params()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train: {epoch: 3}", ["train.epoch", "unknown key", "did you mean epochs?"]),
        ("trian: {}", ["trian", "unknown key", "did you mean train?"]),
        ("train: {image: {heigth: 8}}", ["train.image.heigth", "did you mean height?"]),
        ("benchmark: {targets: [{runtim: torch}]}", ["benchmark.targets.0.runtim", "did you mean runtime?"]),
        ("train: {epochs: many}", ["train.epochs", "integer", "'many'"]),
        ("train: {epochs: 0}", ["train.epochs", "greater than or equal to 1"]),
        ("train: {batch_size: auto}", ["train.batch_size", "'auto'"]),
        ("train: {learning_rate: .nan}", ["train.learning_rate"]),
        ("prepare_data: {split: {train: .9}}", ["prepare_data.split", "not 1"]),
        ("prepare_data: {source: image_folder}", ["prepare_data.path"]),
        ("prepare_data: {source: digit, path: x}", ["prepare_data.source", "did you mean digits?"]),
        ("train: {model: resnet99}", ["train.model", "resnet99"]),
        ("train: {model_options: {widht: 3}}", ["train.model_options", "did you mean width?"]),
        (
            "quantize: {limits: {max_accuracy_drop: .5}}\nselect: {limits: {max_accuracy_drop: .01}}",
            ["quantize.limits.max_accuracy_drop", "select.limits.max_accuracy_drop"],
        ),
        ("benchmark: {targets: [{runtime: torch}, {runtime: torch}]}", ["local-torch-1t", "twice"]),
        ("register: {alias: v1}", ["register.alias", "reserved"]),
        ("train: [1", ["is not YAML"]),
        ("train: {epochs: 1}\nselect: {}\ntrain: {epochs: 2}", ["train stands there twice", "line 3"]),
        ("train: {epochs: 1, epochs: 2}", ["epochs stands there twice"]),
        ("- 1", ["not a mapping"]),
        ("train: 3", ["train"]),
    ],
)
def test_a_fault_names_file_section_field_and_what_is_right(tmp_path, text, words):
    line = refused(tmp_path, text)
    assert "\n" not in line
    for word in ["params.yaml", *words]:
        assert word in line


def test_a_file_that_is_no_utf_8_is_told_in_one_line(tmp_path):
    (tmp_path / "params.yaml").write_bytes("register: {model_name: digits} # für alle".encode("latin-1"))
    with pytest.raises(ParamsFault, match="is not YAML"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("override", ["train", "train=3", "=3", "train.epochs", ".epochs=3", "train.epochs=[1"])
def test_an_override_of_another_shape_is_refused(tmp_path, override):
    assert override in refused(tmp_path, "", override)


def test_an_override_is_laid_over_the_scenario_and_that_over_the_file(tmp_path):
    file, scenario = tmp_path / "params.yaml", tmp_path / "s.yaml"
    file.write_text("train: {epochs: 1, seed: 1, threads: 1}")
    scenario.write_text("train: {epochs: 2, seed: 2}")
    train = params.load(file, scenario=scenario, overrides=["train.epochs=3"]).train
    assert (train.epochs, train.seed, train.threads) == (3, 2, 1)


def test_overrides_that_are_right_only_together_are_taken_together(tmp_path):
    (tmp_path / "p.yaml").write_text("")
    both = ["prepare_data.source=image_folder", "prepare_data.path=pictures"]
    assert str(params.load(tmp_path / "p.yaml", overrides=both).prepare_data.path) == "pictures"


def train_of(tmp_path, text, *overrides):
    (tmp_path / "p.yaml").write_text(text)
    return params.load(tmp_path / "p.yaml", overrides=overrides).train


WITH_OPTIONS = "train: {model: mlp, model_options: {hidden: 8-8}}"


def test_another_model_begins_without_the_options_of_the_one_before(tmp_path):
    assert train_of(tmp_path, WITH_OPTIONS, "train.model=cnn").model_options == {}


def test_the_same_model_named_again_keeps_its_options(tmp_path):
    assert train_of(tmp_path, WITH_OPTIONS, "train.model=mlp").model_options == {"hidden": "8-8"}


def test_the_default_model_named_keeps_the_options_that_are_meant_for_it(tmp_path):
    assert train_of(tmp_path, "train: {model_options: {width: 8}}", "train.model=cnn").model_options == {"width": 8}


@pytest.mark.parametrize("order", [1, -1])
def test_overrides_drop_nothing_of_each_other(tmp_path, order):
    overrides = ["train.model=cnn", "train.model_options={width: 8}"][::order]
    assert train_of(tmp_path, WITH_OPTIONS, *overrides).model_options == {"width": 8}


def test_the_layer_that_brings_the_fault_is_named(tmp_path):
    (tmp_path / "p.yaml").write_text("")
    with pytest.raises(ParamsFault) as caught:
        params.load(tmp_path / "p.yaml", overrides=["train.seed=1", "train.epochs=0", "train.threads=1"])
    assert caught.value.where == "-S train.epochs=0"


def test_the_digest_is_over_values_not_over_what_was_typed():
    typed = {"train": {"epochs": "40", "model_options": {"width": 32.0}}, "prepare_data": {"seed": 0.0}}
    plain = {"train": {"model_options": {"width": 32}}}
    digests = {params.validated(values, where="test").digest for values in (typed, plain)}
    assert len(digests) == 1


def _fields(model):
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field
        for nested in typing.get_args(field.annotation) or (field.annotation,):
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                yield from _fields(nested)


def test_a_field_may_be_null_only_where_null_is_its_default():
    """KFP carries no nulls: `set_values` leaves them out, and the default has to bring them back."""
    for name, field in _fields(params.Params):
        nullable = isinstance(field.annotation, types.UnionType) and type(None) in typing.get_args(field.annotation)
        assert not nullable or field.default is None, name


def test_values_survive_the_way_through_a_pipeline():
    everything = params.Params()
    assert params.validated(everything.set_values(), where="pipeline") == everything


def test_the_shipped_params_and_scenarios_are_valid(root):
    for scenario in [None, *sorted((root / "scenarios").glob("*.yaml"))]:
        params.load(root / "params.yaml", scenario=scenario)


def test_the_page_of_parameters_is_current(root):
    current = (root / "docs" / "params.md").read_text() == reference.page()
    assert current, "run: python -m edgeloop.reference > docs/params.md"


def test_the_defaults_of_a_file_with_every_value_spelled_out_are_the_same(tmp_path):
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(params.Params().set_values()))
    assert params.load(tmp_path / "p.yaml").digest == params.Params().digest


def test_a_task_that_does_not_learn_from_the_samples_of_the_source_is_refused(monkeypatch):
    monkeypatch.setattr(plugins.load("tasks", "classification"), "kinds", ("window",))
    with pytest.raises(ParamsFault, match=r"classification learns from window samples, prepare_data.source digits"):
        params.validated({}, where="params.yaml")


def test_a_model_that_answers_with_something_else_than_the_task_asks_for_is_refused():
    with pytest.raises(
        ParamsFault, match=r"autoencoder answers with input, and train\.task classification asks for row"
    ):
        params.validated({"train": {"model": "autoencoder"}}, where="params.yaml")


def test_a_shift_that_moves_pictures_out_of_sight_is_refused():
    with pytest.raises(ParamsFault, match="8 moves pictures of 8 pixels out of sight"):
        params.validated({"train": {"augment_shift": 8}}, where="params.yaml")


@pytest.mark.parametrize(
    "scenario", sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml")), ids=lambda p: p.stem
)
def test_a_scenario_says_the_same_over_params_yaml_and_written_into_it(root, scenario):
    """`run --scenario` lays it over params.yaml, `pipelines scenario` makes it params.yaml."""
    assert params.load(root / "params.yaml", scenario=scenario) == params.load(scenario)
