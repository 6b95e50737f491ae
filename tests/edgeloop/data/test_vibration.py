import hashlib
import itertools

import numpy as np
import pytest

from edgeloop.data.features.window import plugin as features
from edgeloop.data.machines.excitation import STATES, Running, excited
from edgeloop.data.machines.machine import Bearing, Machine, drawn_machine
from edgeloop.data.machines.sensor import (
    FULL_SCALE_G,
    PROBE,
    STEP_G,
    STUD,
    Mounting,
    acceleration,
    converted,
    edge_distance,
)
from edgeloop.data.sources.vibration import VibrationOptions, plugin, taken
from edgeloop.data.windows import window_of
from edgeloop.errors import DataFault

SMALL = {"machines": 3, "windows": 2}
DIGESTS = {
    "none": "a94c63716bf953ab48a3b8a898a2c4a058627860545de322a51d7281773368c5",
    "mounting": "d466c69c97a8f978b8fd1eb4f6558d17699894a1ab42d5cd780002c672277e67",
    "temperature": "9a3b4939f773ba5f5dee031d81f0aefd596c15a9528b62aa24408bb1e19bf2ac",
}
DEFAULT_DIGESTS = {
    "none": "b0d483a2793347b772a495873fe76fe34ed1fb6f79f8973fc45c29c107515ce1",
    "mounting": "836505a4f95bba805b1f8923dde39dd57ba5d26dcab183c2da9c2191692051a8",
    "temperature": "97234c8a9628f508aa763ea0bc280f698c6c473d6ce3b7660f9b17e05a6f593b",
}


def listed(**options):
    return list(plugin.samples(None, VibrationOptions(**options)))


def digest(samples) -> str:
    found = hashlib.sha256()
    for sample in samples:
        found.update(f"{sample.id} {sample.label} {sorted(sample.metadata.items())}\n".encode())
        found.update(sample.content)
    return found.hexdigest()


@pytest.fixture(scope="module")
def small():
    return listed(**SMALL)


@pytest.mark.parametrize("shift", DIGESTS)
def test_the_windows_of_a_seed_are_frozen(shift):
    assert digest(listed(shift=shift, **SMALL)) == DIGESTS[shift]


@pytest.mark.slow
@pytest.mark.parametrize("shift", DEFAULT_DIGESTS)
def test_the_default_set_is_frozen(shift):
    assert digest(listed(shift=shift)) == DEFAULT_DIGESTS[shift]


def test_the_page_names_these_digests(root):
    page = (root / "docs/vibration.md").read_text()
    assert all(found in page for found in DEFAULT_DIGESTS.values())


@pytest.mark.slow
@pytest.mark.parametrize("shift", DEFAULT_DIGESTS)
def test_no_reading_of_the_default_set_lies_where_rounding_would_change_its_mind(shift):
    options = VibrationOptions(shift=shift)
    nearest = 1.0
    for number in range(options.machines):
        machine = drawn_machine(number, seed=options.seed)
        for state, window in itertools.product(STATES, range(options.windows)):
            nearest = min(nearest, edge_distance(taken(machine, number, state, window, options)[0]))
    assert nearest > 1e-9  # steps; processors differ by less


def test_another_seed_gives_other_windows(small):
    assert {s.content for s in small}.isdisjoint(s.content for s in listed(seed=1, **SMALL))


def test_more_machines_and_windows_leave_the_others_as_they_are(small):
    more = {s.id: s.content for s in listed(machines=4, windows=3)}
    assert all(more[s.id] == s.content for s in small)


def test_every_machine_shows_every_class_equally_often(small):
    shown = {(s.group, s.label): 0 for s in small}
    for sample in small:
        shown[sample.group, sample.label] += 1
    assert set(shown) == set(itertools.product(("m00", "m01", "m02"), STATES))
    assert set(shown.values()) == {2}


def test_no_two_windows_are_equal(small):
    assert len({s.content for s in small}) == len(small)


def test_the_source_is_lazy():
    samples = plugin.samples(None, VibrationOptions(machines=1000, windows=10_000, length=65_536))
    assert next(samples).id == "m00/healthy/0000"


def test_a_path_is_refused(tmp_path):
    with pytest.raises(DataFault, match="takes no path"):
        plugin.samples(tmp_path, VibrationOptions())


def test_readings_are_whole_steps_of_the_converter(small):
    steps = window_of(small[0].content).astype(np.float64) / STEP_G
    assert np.array_equal(steps, np.rint(steps))


def test_the_converter_ends_at_its_full_scale():
    assert converted(np.array([[-99.0, 99.0]])).tolist() == [[-FULL_SCALE_G, FULL_SCALE_G - STEP_G]]


def test_clean_windows_have_no_fault_that_the_features_can_see(small):
    for sample in small:
        found = features.read(sample.content, sample)
        assert found["clipped_share"] < 0.001
        assert found["stuck_share"] < 0.01
        assert found["nan_share"] == 0


# what the physics says; windows of 2.6 s, so that lines are 0.4 Hz wide, and a fault twice the average

LENGTH, RATE_HZ = 16_384, 6400.0
MACHINES = range(8)


def readings(machine: Machine, state: str, *, temperature_c: float = 23, mounting: Mounting = STUD) -> np.ndarray:
    """Readings in g, shape L, C, of a machine at three quarters of its load."""
    random = np.random.default_rng(1)
    running = Running(load=0.75, shaft_hz=machine.shaft_hz, severity=2, duration_s=LENGTH / RATE_HZ)
    signal = acceleration(
        excited(state, machine, running, random),
        machine,
        mounting=mounting,
        temperature_c=temperature_c,
        length=LENGTH,
        rate_hz=RATE_HZ,
        random=random,
    )
    return converted(signal).astype(np.float64)


@pytest.fixture(params=MACHINES)
def machine(request) -> Machine:
    return drawn_machine(request.param, seed=0)


def spectrum(values: np.ndarray):
    """Frequencies in Hz and amplitude, summed over the channels."""
    weighted = (values - values.mean(axis=0)) * np.hanning(len(values))[:, None]
    return np.fft.rfftfreq(len(values), 1 / RATE_HZ), np.abs(np.fft.rfft(weighted, axis=0)).sum(axis=1)


def envelope_spectrum(values: np.ndarray, resonance_hz: float):
    """Spectrum of the squared envelope of x in a band around the resonance (Randall and Antoni 2011, 5.3)."""
    lines = np.fft.fft(values[:, 0])
    frequencies_hz = np.fft.fftfreq(len(values), 1 / RATE_HZ)
    lines[np.abs(frequencies_hz - resonance_hz) > 400] = 0  # the negative frequencies too: what is left is analytic
    return spectrum((np.abs(np.fft.ifft(lines)) ** 2)[:, None])


def line(frequencies_hz, amplitudes, at_hz: float) -> float:
    """The largest amplitude within 1 % or 0.5 Hz of a frequency, over the median within 15 %."""
    near = amplitudes[np.abs(frequencies_hz - at_hz) < max(0.01 * at_hz, 0.5)].max()
    return float(near / np.median(amplitudes[np.abs(frequencies_hz / at_hz - 1) < 0.15]))


def strongest_hz(frequencies_hz, amplitudes, low_hz: float, high_hz: float) -> float:
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    return float(frequencies_hz[inside][amplitudes[inside].argmax()])


def test_an_unbalanced_machine_shakes_at_the_speed_of_its_shaft(machine):
    found = spectrum(readings(machine, "unbalance"))
    assert strongest_hz(*found, 5, 3000) == pytest.approx(machine.shaft_hz, rel=0.01)


def test_unbalance_turns_in_the_radial_plane(machine):
    values = readings(machine, "unbalance")
    frequencies_hz, _ = spectrum(values)
    once = np.fft.rfft(values, axis=0)[np.abs(frequencies_hz - machine.shaft_hz).argmin()]
    assert np.abs(once[2]) < 0.5 * np.abs(once[:2]).min()
    assert np.angle(once[0] / once[1]) == pytest.approx(np.pi / 2, abs=0.7)


def test_a_misaligned_machine_shakes_at_twice_the_speed_of_its_shaft(machine):
    found = spectrum(readings(machine, "misalignment"))
    assert strongest_hz(*found, 5, 3000) == pytest.approx(2 * machine.shaft_hz, rel=0.01)


def test_a_loose_machine_has_many_harmonics_and_those_of_half_the_speed(machine):
    found = spectrum(readings(machine, "looseness"))
    orders = (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10)
    assert min(line(*found, order * machine.shaft_hz) for order in orders) > 3


def test_the_envelope_of_an_outer_race_fault_peaks_at_bpfo(machine):
    fault_hz = machine.bearing.outer_race_hz(machine.shaft_hz)
    found = envelope_spectrum(readings(machine, "bearing_outer"), machine.resonance_hz)
    assert strongest_hz(*found, 10, 1.5 * fault_hz) == pytest.approx(fault_hz, rel=0.02)


def test_the_envelope_of_an_inner_race_fault_has_bpfi_with_sidebands_of_the_shaft(machine):
    shaft_hz = machine.shaft_hz
    fault_hz = machine.bearing.inner_race_hz(shaft_hz)
    found = envelope_spectrum(readings(machine, "bearing_inner"), machine.resonance_hz)
    assert strongest_hz(*found, fault_hz - shaft_hz / 2, fault_hz + shaft_hz / 2) == pytest.approx(fault_hz, rel=0.02)
    assert min(line(*found, place) for place in (shaft_hz, fault_hz - shaft_hz, fault_hz + shaft_hz)) > 3


@pytest.mark.parametrize("fault", ["outer_race_hz", "inner_race_hz"])
def test_a_healthy_envelope_has_no_line_where_a_bearing_fault_would_be(machine, fault):
    found = envelope_spectrum(readings(machine, "healthy"), machine.resonance_hz)
    faulty = envelope_spectrum(readings(machine, f"bearing_{fault[:5]}"), machine.resonance_hz)
    fault_hz = getattr(machine.bearing, fault)(machine.shaft_hz)
    assert line(*found, fault_hz) < 0.5 * line(*faulty, fault_hz)


def test_fault_frequencies_are_those_of_a_published_bearing():
    # SKF 6205-2RS JEM as in the data set of Case Western Reserve University: 3.5848 and 5.4152 times the speed
    bearing = Bearing(elements=9, ball_mm=7.94, pitch_mm=39.04, contact_deg=0)
    assert (bearing.outer_race_hz(1), bearing.inner_race_hz(1)) == pytest.approx((3.5848, 5.4152), abs=2e-3)


def test_balls_pass_both_races_as_often_as_there_are_balls():
    bearing = drawn_machine(5, seed=3).bearing
    assert bearing.outer_race_hz(30) + bearing.inner_race_hz(30) == pytest.approx(30 * bearing.elements)


def test_a_stud_couples_evenly_and_a_probe_does_not():
    assert STUD.coupling(2000) == pytest.approx(STUD.coupling(10), rel=0.05)
    assert PROBE.coupling(PROBE.resonance_hz) > 2 * PROBE.coupling(10)


def test_a_probe_changes_the_ringing_as_its_own_resonance_says(machine):
    stud, probe = (readings(machine, "bearing_outer", mounting=mounting)[:, 0] for mounting in (STUD, PROBE))
    near = np.abs(np.fft.rfftfreq(LENGTH, 1 / RATE_HZ) / machine.resonance_hz - 1) < 0.05
    lifted = np.abs(np.fft.rfft(probe))[near].mean() / np.abs(np.fft.rfft(stud))[near].mean()
    assert lifted == pytest.approx(PROBE.coupling(machine.resonance_hz) / STUD.coupling(machine.resonance_hz), rel=0.2)


def test_heat_shifts_the_offset(machine):
    shifted = readings(machine, "healthy", temperature_c=73).mean(axis=0) - readings(machine, "healthy").mean(axis=0)
    assert shifted == pytest.approx(50 * machine.offset_g, abs=1e-3)


@pytest.mark.parametrize("shift", ["mounting", "temperature"])
def test_a_shift_is_in_the_metadata_and_keeps_machine_load_and_speed(small, shift):
    shifted = listed(shift=shift, **SMALL)
    names = ("machine", "load", "shaft_hz", "rate_hz")
    assert [[s.metadata[n] for n in names] for s in shifted] == [[s.metadata[n] for n in names] for s in small]
    changed = {"mounting": "mounting", "temperature": "temperature_c"}[shift]
    assert all(one.metadata[changed] != other.metadata[changed] for one, other in zip(shifted, small, strict=True))


@pytest.mark.slow
def test_a_line_through_the_spectra_tells_most_faults_of_unseen_machines_and_not_all():
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    samples = listed()
    windows = np.array([window_of(s.content) for s in samples])
    weighted = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(windows.shape[1])[:, None]
    power = np.log10(np.abs(np.fft.rfft(weighted, axis=1)) ** 2 + 1e-3).reshape(len(samples), -1)
    labels, groups = np.array([s.label for s in samples]), np.array([s.group for s in samples])
    unseen = np.isin(groups, ["m15", "m16", "m17", "m18", "m19"])
    model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=3000))
    accuracy = model.fit(power[~unseen], labels[~unseen]).score(power[unseen], labels[unseen])
    assert 0.6 < accuracy < 0.95  # a sixth by chance
