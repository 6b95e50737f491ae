"""Windows that are not to be read, named in `left_out.json` beside the recordings that they lie in.

A window shares its readings with its neighbours, so nothing can be cut out of a recording without taking good windows
along, and what is cut at another place afterwards is other windows than those that were judged. A clean set of
recordings therefore holds them whole, and this list.
"""

from pathlib import Path

from pydantic import Field, ValidationError

from edgeloop.contract import Contract
from edgeloop.errors import DataFault
from edgeloop.files import read_json, write_text

FILE = "left_out.json"


class Cut(Contract):
    """What decides where windows begin and end."""

    length: int = Field(description="readings of a window")
    stride: int = Field(description="readings from one window's start to the next")
    label_column: str | None
    group_column: str | None


class LeftOut(Contract):
    """The content of the file."""

    cut: Cut = Field(description="how the windows were cut that were judged")
    windows: tuple[str, ...] = Field(description="ids of windows, and of files that cannot be read to their end")


def read(folder: Path, cut: Cut) -> frozenset[str]:
    """The ids to pass over; none where the folder has no such file.

    Raises:
        DataFault: The file is none of these, or speaks of windows that were cut otherwise.
    """
    file = folder / FILE
    if not file.is_file():
        return frozenset()
    try:
        left_out = LeftOut.model_validate(read_json(file))
    except (ValueError, ValidationError) as error:
        raise DataFault("is no list of windows", where=str(file), fix="make the clean set again") from error
    if left_out.cut != cut:
        judged = left_out.cut.model_dump()
        parts = [f"{name}={judged[name]}" for name, value in cut.model_dump().items() if judged[name] != value]
        raise DataFault(
            "names windows that were cut otherwise",
            where=str(file),
            fix=f"cut as they were judged, by the options {', '.join(parts)}, or judge the original data",
        )
    return frozenset(left_out.windows)


def write(folder: Path, left_out: LeftOut) -> None:
    """Writes the file to `folder`."""
    write_text(folder / FILE, left_out.model_dump_json(indent=2) + "\n")
