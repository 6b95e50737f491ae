"""How a sample of any kind becomes the input of a model, the same in training, benchmark and `predict`.

A reader turns the bytes of a sample into an array; over the arrays of train it fits mean and standard deviation, and
with those it is a preprocessing. Pictures: `edgeloop.data.preprocessing`. Windows and rows of a table: here.

Legend: `N` samples, `C` channels, `H` height, `W` width, `L` readings, `B` bands, `F` columns.
"""

import json
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from edgeloop.contract import Contract
from edgeloop.data.preprocessing import CHANNELS, ImageInput, Preprocessing, decode
from edgeloop.data.windows import window_of
from edgeloop.errors import DataFault

FAINTEST = 1e-12
"""Added to a power before its logarithm is taken: silence is -120 dB and not minus infinity."""

Values = NDArray[np.generic]
"""uint8 of a picture, 255 as 1; float32 of everything else."""


class WindowInput(Contract):
    """What of a window a model takes."""

    bands: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="null: the readings; else the logarithm of the power in so many equally wide bands of frequency",
    )


class WindowPreprocessing(Contract):
    """The readings of each channel, or the power in its bands; subtract mean, divide by std."""

    window: WindowInput
    channels: int = Field(ge=1)
    length: int = Field(ge=1, description="readings of a window")
    mean: tuple[float, ...] = Field(description="one value a channel; of bands one a channel and band")
    std: tuple[float, ...] = Field(description="as mean")

    @property
    def shape(self) -> tuple[int, int]:
        """C, L or C, B."""
        return self.channels, self.window.bands or self.length

    @property
    def taken(self) -> Contract:
        """What the model takes, apart from what was fitted."""
        return self.window

    def apply(self, content: bytes, *, where: str = "window") -> NDArray[np.float32]:
        """The window in `content` as float32 of `shape`.

        Raises:
            DataFault: It is no window, has another size, or holds what is no number; `where` is named.
        """
        readings = window_of(content, where=where)
        if readings.shape != (self.length, self.channels):
            found = f"{readings.shape[0]} readings of {readings.shape[1]} channels"
            raise DataFault(
                f"has {found}, not {self.length} of {self.channels}",
                where=where,
                fix="cut all windows alike",
            )
        return standardised(_of_window(readings, self.window, where=where), mean=self.mean, std=self.std)


class RowPreprocessing(Contract):
    """The numbers of a row in the order of their columns' names; subtract mean, divide by std."""

    columns: tuple[str, ...] = Field(min_length=1)
    mean: tuple[float, ...] = Field(description="one value a column")
    std: tuple[float, ...] = Field(description="one value a column")

    @property
    def shape(self) -> tuple[int]:
        """F."""
        return (len(self.columns),)

    @property
    def taken(self) -> Contract:
        """What the model takes, apart from what was fitted."""
        return RowInput(columns=self.columns)

    def apply(self, content: bytes, *, where: str = "row") -> NDArray[np.float32]:
        """The row in `content`, canonical JSON, as float32 of shape F.

        Raises:
            DataFault: It is no row, or has no number in a column; `where` is named.
        """
        return standardised(_of_row(content, self.columns, where=where), mean=self.mean, std=self.std)


AnyPreprocessing = Preprocessing | WindowPreprocessing | RowPreprocessing
_PREPROCESSING: TypeAdapter[AnyPreprocessing] = TypeAdapter(AnyPreprocessing)


def preprocessing_of(values: dict[str, Any]) -> AnyPreprocessing:
    """The preprocessing whose `values()` these are."""
    return _PREPROCESSING.validate_python(values)


class Reader(Protocol):
    """From the bytes of samples of one kind to arrays, and from those to a preprocessing."""

    def read(self, content: bytes, *, where: str) -> Values:
        """The array of one sample, of the same shape for every one.

        Raises:
            DataFault: The bytes are of another kind or shape; `where` is named.
        """

    def fitted(self, values: Values) -> AnyPreprocessing:
        """Mean and standard deviation over the arrays of train; what never changes keeps a std of 1."""


class PictureReader:
    """Pictures of one size as bytes: a quarter of the memory of floats, and exactly what `decode` gives times 255."""

    def __init__(self, image: ImageInput) -> None:
        self._image = image

    def read(self, content: bytes, *, where: str) -> Values:
        """uint8 of shape C, H, W."""
        pixels: Values = np.rint(decode(content, self._image, where=where) * np.float32(255)).astype(np.uint8)
        return pixels

    def fitted(self, values: Values) -> Preprocessing:
        """One mean a channel."""
        levels = np.arange(256, dtype=np.float64) / 255
        means, deviations = [], []
        for channel in range(CHANNELS[self._image.mode]):
            counts = _counts(values[:, channel])
            mean = float(np.average(levels, weights=counts))
            deviation = float(np.sqrt(np.average((levels - mean) ** 2, weights=counts)))
            constant = np.count_nonzero(counts) == 1
            means.append(mean)
            deviations.append(1.0 if constant else deviation)
        return Preprocessing(image=self._image, mean=tuple(means), std=tuple(deviations))


_PICTURES = 64
"""Counted at a time: numpy takes 8 bytes for each value that it counts."""


def _counts(values: Values) -> NDArray[np.int64]:
    """How often each of the 256 levels is there."""
    parts = (values[start : start + _PICTURES] for start in range(0, len(values), _PICTURES))
    counts: NDArray[np.int64] = np.sum([np.bincount(part.ravel(), minlength=256) for part in parts], axis=0)
    return counts


class WindowReader:
    """Windows as long as the first one."""

    def __init__(self, window: WindowInput) -> None:
        self._window = window
        self._shape: tuple[int, int] | None = None

    def read(self, content: bytes, *, where: str) -> Values:
        """float32 of shape C, L or C, B."""
        readings = window_of(content, where=where)
        length, channels = self._shape = self._shape or (readings.shape[0], readings.shape[1])
        plain = WindowPreprocessing(window=self._window, channels=channels, length=length, mean=(0.0,), std=(1.0,))
        return plain.apply(content, where=where)

    def fitted(self, values: Values) -> WindowPreprocessing:
        """One mean a channel of readings; one a channel and band of powers."""
        assert self._shape is not None
        axes = (0,) if self._window.bands else (0, 2)
        mean, std = _moments(values, axes)
        length, channels = self._shape
        return WindowPreprocessing(window=self._window, channels=channels, length=length, mean=mean, std=std)


class RowInput(Contract):
    """The columns that a model takes, sorted."""

    columns: tuple[str, ...]


class RowReader:
    """Rows with the columns of the first one."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()

    def read(self, content: bytes, *, where: str) -> Values:
        """float32 of shape F."""
        self._columns = self._columns or tuple(sorted(_mapping(content, where=where)))
        return _of_row(content, self._columns, where=where)

    def fitted(self, values: Values) -> RowPreprocessing:
        """One mean a column."""
        mean, std = _moments(values, (0,))
        return RowPreprocessing(columns=self._columns, mean=mean, std=std)


def reader_of(kind: str, *, image: ImageInput, window: WindowInput) -> Reader:
    """The reader for samples of a kind: `image` and `window` say what is taken of pictures and windows.

    Raises:
        DataFault: Samples of that kind cannot be the input of a model.
    """
    match kind:
        case "image" | "detection":
            return PictureReader(image)
        case "window":
            return WindowReader(window)
        case "table":
            return RowReader()
    raise DataFault(f"no model takes samples of the kind {kind}", where="prepare_data.source", fix="use another source")


def standardised(values: Values, *, mean: tuple[float, ...], std: tuple[float, ...]) -> NDArray[np.float32]:
    """(values - mean) / std, the first axes of `values` being those of mean and std."""
    means, deviations = (per_axis(np.asarray(of, dtype=np.float32), values.shape) for of in (mean, std))
    scaled: NDArray[np.float32] = (values - means) / deviations
    return scaled


def per_axis(numbers: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of channels, or of everything, so that they broadcast over a sample of that shape."""
    if len(numbers) in (1, shape[0]):
        return numbers.reshape(-1, *(1,) * (len(shape) - 1))
    return numbers.reshape(shape)


def _moments(values: Values, axes: tuple[int, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation over axes, the rest flattened; 1 where nothing changes."""
    wide = values.astype(np.float64)
    mean, std = wide.mean(axis=axes).ravel(), wide.std(axis=axes).ravel()
    constant = np.ptp(wide, axis=axes).ravel() == 0
    return tuple(mean.tolist()), tuple(np.where(constant, 1.0, std).tolist())


def _of_window(readings: NDArray[np.float32], window: WindowInput, *, where: str) -> NDArray[np.float32]:
    """C, L readings, or C, B logarithms to the base 10 of power, in the readings' unit squared."""
    if not np.isfinite(readings).all():
        raise DataFault("holds a reading that is no number", where=where, fix="let validate_data take it out")
    channels = np.ascontiguousarray(readings.T)
    if window.bands is None:
        return channels
    length = channels.shape[1]
    if window.bands > length // 2:
        raise DataFault(
            f"has {length // 2} frequencies and not {window.bands}", where=where, fix="lower train.window.bands"
        )
    wide = channels.astype(np.float64)
    tapered = (wide - wide.mean(axis=1, keepdims=True)) * np.hanning(length)
    power = np.abs(np.fft.rfft(tapered, axis=1))[:, 1:] ** 2 / length**2
    edges = np.linspace(0, power.shape[1], window.bands + 1).astype(np.int64)
    sums = np.add.reduceat(power, edges[:-1], axis=1)
    logarithms: NDArray[np.float32] = np.log10(sums + FAINTEST).astype(np.float32)
    return logarithms


def _of_row(content: bytes, columns: tuple[str, ...], *, where: str) -> NDArray[np.float32]:
    row = _mapping(content, where=where)
    for name in columns:
        if not isinstance(row.get(name), int | float):
            raise DataFault(
                f"has no number in the column {name!r} but {row.get(name)!r}",
                where=where,
                fix="name the column in prepare_data.options.drop, or fill it",
            )
    return np.array([row[name] for name in columns], dtype=np.float32)


def _mapping(content: bytes, *, where: str) -> dict[str, Any]:
    try:
        row = json.loads(content)
    except ValueError as error:
        raise DataFault("is no row of a table", where=where, fix="give a JSON object") from error
    if not isinstance(row, dict) or not row:
        raise DataFault("is no row of a table", where=where, fix="give a JSON object")
    return row
