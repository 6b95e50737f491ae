"""One model file, opened in a runtime and asked."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.errors import DeviceFault
from edgeloop.models import ModelCard, named_only
from edgeloop.runtimes import Runtime
from edgeloop.tasks import Floats, Task
from edgeloop.variants import PlacedVariant

Ask = Callable[[NDArray[np.float32]], Floats]
"""From N inputs to the task's answers to them."""


@contextmanager
def answering(placed: PlacedVariant, runtime: str, *, threads: int, task: Task, card: ModelCard) -> Iterator[Ask]:
    """The file, ready to be asked until the block ends.

    Raises:
        ModelFault: The file cannot be loaded, or gives other outputs than its card says.
        DeviceFault: The runtime is not installed here.
    """
    plugin: Runtime = plugins.load("runtimes", runtime)
    state = plugin.state()
    if not state.available:
        raise DeviceFault(f"is not available here: {state.reason}", where=runtime, fix="evaluate needs it")

    def ask(inputs: NDArray[np.float32]) -> Floats:
        outputs = named_only(session.run(inputs), card, where="evaluate")
        return task.answers(outputs, inputs.view, card)

    with closing(plugin.open(placed.path, threads=threads)) as session:
        yield ask


def runtime_for(placed: PlacedVariant, *, preferred: str) -> str:
    """The preferred runtime, or, for a file that it cannot load, the first one installed that can.

    Raises:
        DeviceFault: None is installed.
    """
    wanted = placed.variant.format
    for name in [preferred, *(other for other in plugins.names("runtimes") if other != preferred)]:
        runtime: Runtime = plugins.load("runtimes", name)
        if wanted in runtime.formats and (name == preferred or runtime.state().available):
            return name
    raise DeviceFault(f"no installed runtime loads {wanted}", where=placed.variant.name, fix="choose another --variant")
