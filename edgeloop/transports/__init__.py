"""Ways to reach a device, one file each."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Conversation(Protocol):
    """A program that runs on the device and answers line by line."""

    def ask(self, line: str, *, timeout_s: float) -> str:
        """Sends one line of text, waits for one line back.

        Raises:
            DeviceFault: The program ended, or did not answer in time; its last words on stderr are in the message.
        """

    def close(self) -> None:
        """Ends the program."""


class Transport(Protocol):
    """Files to a device, and a program on it."""

    def put(self, path: Path) -> str:
        """Makes a file or folder available on the device; returns its path there."""

    def converse(self, arguments: Sequence[str]) -> AbstractContextManager[Conversation]:
        """Starts `python -m …` on the device; `arguments` is a vector and never seen by a shell."""
