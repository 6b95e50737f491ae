"""Drift: does what a device sees still look like what the model was trained on? One detector a file.

The reference is the profile that travels in the bundle: fixed bin edges and counts of every feature over the training
split. The current window is telemetry, see `edgeloop.telemetry`. The verdict is a value; a page is evidence beside it
and decides nothing.
"""

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.profile import Profile
from edgeloop.data.statistics.values import ColumnStatistics
from edgeloop.errors import DataFault

Status = Literal["drift", "no drift", "not evaluated"]

NOT_COMPARED = frozenset({"size_bytes"})
"""Features that tell of the encoder, not of the world: a device need not store pictures as the dataset does."""


class DetectDriftParams(Contract):
    """Section `detect_drift`, of the monitor pipeline."""

    detector: str = Field(default="psi", description="plug-in of edgeloop.drift")
    false_alarms: float = Field(
        default=0.01, gt=0, le=0.5, description="share of windows without drift that may be called drift, all features"
    )
    min_effect: float = Field(default=0.05, ge=0, description="a smaller value is no drift, however sure; PSI")
    min_rows: int = Field(default=100, ge=20, description="a smaller window is not evaluated")
    page_rows: int = Field(default=20_000, ge=100, le=20_000, description="sampled for the page of evidence")


class FeatureDrift(Contract):
    """One feature of the window against the reference."""

    name: str
    status: Status
    value: float | None = Field(default=None, description="the detector's statistic")
    threshold: float | None = Field(default=None, description="above it the feature has drifted")
    rows: int = Field(description="values in the window")
    reason: str = ""


class DriftVerdict(Contract):
    """What was found in one window."""

    format: int = 1
    status: Status
    reason: str
    detector: str
    window_digest: str = Field(description="over the rows of the window, whatever their order")
    reference_digest: str
    rows: int
    features: tuple[FeatureDrift, ...]


class Detector(Protocol):
    """A way to compare one feature."""

    def judge(
        self, reference: ColumnStatistics, values: NDArray[np.float64], *, false_alarms: float, min_effect: float
    ) -> FeatureDrift:
        """Compares the values of a window with the reference.

        Args:
            reference: Fixed bins and their counts.
            values: The window's values of this feature, without nulls.
            false_alarms: The share of windows without drift that may be called drift, for this feature alone.
            min_effect: A statistic below it is no drift.
        """


def check(params: DetectDriftParams, *, reference: Path, current: Path) -> DriftVerdict:
    """Compares a window of telemetry with a profile.

    Args:
        params: Section `detect_drift`.
        reference: A profile (JSON), or a bundle that holds one.
        current: Telemetry: Parquet or CSV, a row a sample, columns named as the features.

    Raises:
        DataFault: The telemetry cannot be read, or has none of the features.
    """
    from edgeloop.canonical import digest_of
    from edgeloop.telemetry import read_window

    profile = Profile.of(profile_file(reference))
    window = read_window(current)
    names = [feature.name for feature in profile.features]
    if not set(names) & window.columns.keys():
        raise DataFault(
            f"has none of the columns {', '.join(names)}", where=str(current), fix="write one a feature, as numbers"
        )
    judged = _judged(params, profile, window.columns)
    status, reason = _together(params, judged, window.rows)
    return DriftVerdict(
        status=status,
        reason=reason,
        detector=params.detector,
        window_digest=window.digest,
        reference_digest=digest_of(profile.values()),
        rows=window.rows,
        features=judged,
    )


def profile_file(reference: Path) -> Path:
    """The profile's file, in a bundle or by itself."""
    return reference / "profile" / "profile.json" if reference.is_dir() else reference


def _judged(
    params: DetectDriftParams, profile: Profile, columns: dict[str, NDArray[np.float64]]
) -> tuple[FeatureDrift, ...]:
    """Every feature of the profile; the allowed false alarms are shared out among them (Bonferroni)."""
    from edgeloop import plugins

    detector: Detector = plugins.load("drift", params.detector)
    features = [feature for feature in profile.features if feature.name not in NOT_COMPARED]
    share = params.false_alarms / max(1, len(features))
    return tuple(
        _feature(detector, feature, columns.get(feature.name), share=share, params=params) for feature in features
    )


def _feature(
    detector: Detector,
    feature: ColumnStatistics,
    column: NDArray[np.float64] | None,
    *,
    share: float,
    params: DetectDriftParams,
) -> FeatureDrift:
    if column is None:
        return FeatureDrift(name=feature.name, status="not evaluated", rows=0, reason="not in the window")
    values = column[~np.isnan(column)]
    if values.size < params.min_rows:
        reason = f"{values.size} values, fewer than min_rows ({params.min_rows})"
        return FeatureDrift(name=feature.name, status="not evaluated", rows=values.size, reason=reason)
    return detector.judge(feature, values, false_alarms=share, min_effect=params.min_effect)


def _together(params: DetectDriftParams, judged: tuple[FeatureDrift, ...], rows: int) -> tuple[Status, str]:
    if rows < params.min_rows:
        return "not evaluated", f"{rows} rows, fewer than min_rows ({params.min_rows})"
    drifted = [feature.name for feature in judged if feature.status == "drift"]
    if drifted:
        return "drift", f"{', '.join(drifted)} moved away from the training data"
    if all(feature.status == "not evaluated" for feature in judged):
        return "not evaluated", "no feature could be compared"
    left = ", ".join(feature.name for feature in judged if feature.status == "not evaluated")
    return "no drift", "all compared features are as in training" + (f"; not compared: {left}" if left else "")
