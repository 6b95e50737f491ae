"""Every planted fault is caught by its expectation, with the right ids and nothing else; clean data is not accused."""

import pytest

from benchmarks.faults import DRAWN, FAULTS, WRITTEN, told
from benchmarks.faults.matrix import Clean, Fault, outcome_of, said_of_clean, said_of_fault

pytestmark = pytest.mark.slow  # the library that judges takes seconds to import

FEW = {
    "traffic_signs": {"count": 60, "size_pixels": 160},
    "traffic_signs_crops": {"count": 60, "size_pixels": 160},
    "vibration": {"machines": 6, "windows": 4},
}
FAULT = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.clean.kind}: {fault.name}")
CLEAN = pytest.mark.parametrize("clean", [*WRITTEN, *DRAWN], ids=lambda clean: clean.name)


@FAULT
def test_a_fault_is_caught_by_the_expectations_that_are_meant_for_it_alone(fault: Fault, tmp_path):
    said = said_of_fault(fault, tmp_path)
    counted = {key: ids for key, ids in said.items() if key[1] != "info" or key in fault.said}
    assert counted == dict.fromkeys(fault.said, fault.ids)
    assert outcome_of(fault, said).is_caught


@CLEAN
def test_clean_data_raises_nothing_critical(clean: Clean, tmp_path):
    few = Clean(clean.name, clean.source, clean.write, {**clean.options, **FEW.get(clean.source, {})})
    grave = {"critical"} if clean in DRAWN else {"critical", "warning"}  # what is drawn has hard samples too
    assert [column for column, severity in said_of_clean(few, tmp_path) if severity in grave] == []


def test_a_row_says_what_was_found_and_what_was_not():
    fault = FAULTS[0]
    column = fault.said[0]
    beside = {column: frozenset({"other"}), ("width", "critical"): frozenset({"other"})}
    assert told(fault, outcome_of(fault, {column: fault.ids})) == "1 of 1 right, 0 extra, by readable (critical)"
    assert told(fault, outcome_of(fault, beside)) == (
        "0 of 1 right, 1 extra, missed by readable (critical); also critical: width"
    )


def test_every_kind_has_each_fault_once():
    names = [(fault.clean.kind, fault.name) for fault in FAULTS]
    assert len(set(names)) == len(names)
