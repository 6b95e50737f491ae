"""Libraries that print, warn and log while they work are heard in our log, never on stdout or stderr."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """What is printed and warned of meanwhile goes to `log` at debug; what is logged below an error is dropped.

    For a library's call only: all of it holds for the whole process, other threads too.
    """
    said, complained = io.StringIO(), io.StringIO()
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # by the manager: torch and NNCF hang handlers of their own on dozens of loggers
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
                yield
    finally:
        logging.disable(disabled)
        printed = [*said.getvalue().splitlines(), *complained.getvalue().splitlines()]
        for line in [*printed, *(str(warning.message) for warning in caught)]:
            log.debug(line)
