import builtins
import dis
import importlib

import pytest

from components import STEPS, factory


@pytest.mark.parametrize("step", STEPS)
def test_a_step_compiles_as_a_component_under_its_own_name(step):
    function = getattr(importlib.import_module(STEPS[step]), step)
    assert factory.component(function).name == step.replace("_", "-")


@pytest.mark.parametrize("step", STEPS)
def test_a_body_stands_alone(step):
    """KFP carries the source of the function and nothing around it."""
    function = getattr(importlib.import_module(STEPS[step]), step)
    free = {line.argval for line in dis.get_instructions(function) if line.opname == "LOAD_GLOBAL"}
    assert free <= set(vars(builtins)), "imports belong inside the body"


def test_the_image_can_be_named_by_the_environment(monkeypatch):
    monkeypatch.setenv(factory.IMAGE_VARIABLE, "registry.example/mine-python:3")
    assert factory.image() == "registry.example/mine-python:3"
