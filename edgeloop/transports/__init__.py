"""Ways to reach a device, one file each.

The thing (an address in manifests/devices) stands apart from the way to talk to it (a transport): a plug-in is asked
to reach an address, and the connection that it gives carries files and starts programs until its block ends.
"""

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
        """Ends the program and whatever it started; a second call does nothing."""


class Connection(Protocol):
    """Files to and from one device, and programs on it."""

    def put(self, path: Path) -> str:
        """Makes a file or folder available on the device; returns its path there.

        Raises:
            InputFault: There is no such file or folder here.
            DeviceFault: The device cannot take it.
        """

    def get(self, remote: str, target: Path) -> None:
        """Copies the file `remote` of the device to `target` here.

        Raises:
            DeviceFault: The device has no such file.
        """

    def converse(self, arguments: Sequence[str]) -> AbstractContextManager[Conversation]:
        """Starts `python -m …` on the device; `arguments` is a vector and never seen by a shell.

        The program is ended when the block ends. Several threads may start programs, and ask each its own.
        """


class Transport(Protocol):
    """One way to reach devices."""

    def connected(self, address: str | None) -> AbstractContextManager[Connection]:
        """The device at `address`, for the length of the block.

        Raises:
            InputFault: The address means nothing to this transport.
            DeviceFault: The device cannot be reached.
        """
