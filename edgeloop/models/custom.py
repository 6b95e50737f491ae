"""A network of the user's own, named by its import path.

    train:
      model: custom
      model_options: {path: my_package.my_module:MyNet, width: 24}

`MyNet` is a subclass of `torch.nn.Module` in any package that Python can import here: install it beside edgeloop, and
put it into the image of a cluster. It is built as `MyNet(input_shape=(C, H, W), outputs=K, width=24)`: these two by
name, and every option beside `path` as it stands. It draws its weights from torch's generator, as torch's layers do,
and turns N of `input_shape` into N, K logits.

A model's card names the path, so loading such a model imports that module, and builds the class if it is a Module;
nothing else that the card might name is ever called. Another version of the code may load the same weights and answer
otherwise: keep the package under a version.
"""

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from edgeloop.contract import Contract, parsed
from edgeloop.errors import EdgeloopError, ParamsFault
from edgeloop.models import PICTURE, ROW, WINDOW, require_input
from edgeloop.runtimes import one_line

if TYPE_CHECKING:
    from torch import nn

CHECKED_BATCH = 2
"""Two samples: a network that forgets the batch is found out."""


class CustomOptions(Contract):
    """`train.model_options` of this architecture; what stands beside `path` is checked by the class itself."""

    model_config = ConfigDict(extra="allow")

    path: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", description="package.module:Class of an nn.Module"
    )


class Custom:
    """See the module."""

    options = CustomOptions
    inputs = (PICTURE, WINDOW, ROW)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`.

        Raises:
            ParamsFault: As there; or the class cannot be imported, is no Module, cannot be built with these options, or
                answers with another shape.
        """
        chosen = parsed(CustomOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs)
        made = _imported(chosen.path)
        arguments = {"input_shape": input_shape, "outputs": outputs, **(chosen.model_extra or {})}
        _require_arguments(made, arguments, where=chosen.path)
        try:
            network = made(**arguments)
        except EdgeloopError:
            raise
        except Exception as error:  # somebody else's constructor
            raise ParamsFault(
                f"cannot be built ({one_line(error)})", where=chosen.path, fix="mend it or correct train.model_options"
            ) from error
        _require_row(network, input_shape, outputs, where=chosen.path)
        return network


def _imported(path: str) -> "type[nn.Module]":
    from torch import nn

    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # an import runs somebody else's code
        raise ParamsFault(
            f"cannot be imported ({one_line(error)})",
            where=path,
            fix="install the package beside edgeloop and check train.model_options.path",
        ) from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ParamsFault("is no subclass of torch.nn.Module", where=path, fix="name a class that is one")
    return found


def _require_arguments(made: "type[nn.Module]", arguments: dict[str, Any], *, where: str) -> None:
    """Refuses a class that takes other arguments before anything of it runs."""
    try:
        inspect.signature(made).bind(**arguments)
    except TypeError as error:
        raise ParamsFault(
            f"does not take these arguments ({one_line(error)})",
            where=where,
            fix="let it take input_shape, outputs and what else stands in train.model_options",
        ) from error


def _require_row(network: "nn.Module", input_shape: tuple[int, ...], outputs: int, *, where: str) -> None:
    """Refuses a network that does not give N, K; its state and torch's generator are left as they were."""
    import torch

    wanted = (CHECKED_BATCH, outputs)
    training = network.training
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            given = network.eval()(torch.zeros(CHECKED_BATCH, *input_shape))
    except Exception as error:  # somebody else's forward
        raise ParamsFault(
            f"cannot run on samples of shape {input_shape} ({one_line(error)})", where=where, fix="mend its forward"
        ) from error
    finally:
        network.train(training)
    shape = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
    if shape != wanted:
        raise ParamsFault(
            f"answers {CHECKED_BATCH} samples with {shape}, not {wanted}", where=where, fix="let it give N, outputs"
        )


plugin = Custom()
