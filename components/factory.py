"""Component functions as KFP components, all with one image."""

import os
from collections.abc import Callable
from typing import Any

from kfp import dsl

from edgeloop import __version__

IMAGE_VARIABLE = "EDGELOOP_IMAGE"


def image() -> str:
    """The container image of every component; `EDGELOOP_IMAGE` names another."""
    return os.environ.get(IMAGE_VARIABLE, f"localhost/edgeloop-python:{__version__}")


def component(function: Callable[..., Any]) -> Any:
    """`function` as a component that runs in the image as it is: nothing is installed when it starts."""
    return dsl.component(function, base_image=image(), install_kfp_package=False)
