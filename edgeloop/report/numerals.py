"""Numbers as a person reads them: with a unit, thousands apart, and no more digits than they carry."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SPACE = "\u202f"  # narrow and non-breaking
NONE = "–"

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def significant(value: float, digits: int = 3) -> str:
    """`value` to so many significant digits: 0.0312, 31.2, 1,230, 3.1 × 10⁻⁷."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if not -5 <= exponent <= 8:
        short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{short}{SPACE}×{SPACE}10{str(exponent).translate(_SUPERSCRIPT)}"
    rounded = round(value, digits - 1 - exponent)
    return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"


def plain(value: float, digits: int = 4) -> str:
    """As `significant`, without zeros at the end: for settings and ticks, whose digits claim no precision."""
    text = significant(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text


def count(value: float) -> str:
    """A whole number with its thousands apart."""
    return f"{round(value):,}"


def percent(share: float, decimals: int = 2) -> str:
    """A share of 1 as percent."""
    return f"{100 * share:.{decimals}f}{SPACE}%"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.2f}{SPACE}pp".replace("-", "−")


def drop(difference: float) -> str:
    """A loss in percentage points; a gain is a negative loss."""
    return points(difference).removeprefix("+")


def size(value_bytes: float) -> str:
    """Bytes in decimal units: 390 kB."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value_bytes >= factor:
            return f"{significant(value_bytes / factor)}{SPACE}{unit}"
    return f"{count(value_bytes)}{SPACE}B"


@dataclass(frozen=True)
class TimeUnit:
    """The one unit of a table or picture of times, so that its numbers compare at a glance."""

    name: str
    per_ms: float

    def of(self, value_ms: float) -> str:
        """The bare number in this unit."""
        return significant(value_ms * self.per_ms)

    def full(self, value_ms: float) -> str:
        """The number with the unit."""
        return f"{self.of(value_ms)}{SPACE}{self.name}"


MICROSECONDS, MILLISECONDS, SECONDS = TimeUnit("µs", 1e3), TimeUnit("ms", 1.0), TimeUnit("s", 1e-3)


def time_unit(values_ms: Iterable[float]) -> TimeUnit:
    """The unit in which the largest of some times is at least 1."""
    largest = max(values_ms, default=1.0)
    if largest < 1.0:
        return MICROSECONDS
    return MILLISECONDS if largest < 10_000 else SECONDS


def short_digest(digest: str) -> str:
    """The first twelve hex digits: enough to tell two apart on a page that shows the whole elsewhere."""
    digits = digest.rpartition(":")[2]
    return f"{digits[:12]}…" if len(digits) > 13 else digits


def wilson_interval(right: int, whole: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share that was counted, 95 % by default (Wilson, 1927)."""
    share, weight = right / whole, z * z / whole
    middle = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def value_text(value: object) -> str:
    """A leaf of some JSON value in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e9 else plain(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(value_text, value)) or NONE
    return NONE if value is None or value == "" else str(value)
