from datetime import date

import pytest

from edgeloop.data.dataset import Sample
from edgeloop.data.governance import Governance, read_erased, refuse_erased, refuse_forbidden
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.errors import DataFault, GateRefused, InputFault

TODAY = date(2030, 1, 2)
DIGEST = "ab" * 32


def test_data_of_which_nothing_is_said_may_be_used():
    refuse_forbidden(Governance(), today=TODAY, where="x")


def test_the_last_day_of_its_use_is_a_day_of_use():
    refuse_forbidden(Governance(retain_until=TODAY), today=TODAY, where="x")


def test_the_day_after_its_use_is_refused():
    with pytest.raises(GateRefused, match="kept until 2030-01-01, and today is 2030-01-02"):
        refuse_forbidden(Governance(retain_until=date(2030, 1, 1)), today=TODAY, where="x")


def test_data_that_is_not_for_training_is_refused():
    with pytest.raises(GateRefused, match="not for training"):
        refuse_forbidden(Governance(for_training=False), today=TODAY, where="x")


def test_prepare_data_refuses_it_before_it_reads_a_sample(tmp_path):
    params = PrepareDataParams.model_validate({"governance": {"retain_until": "2001-01-01"}})
    with pytest.raises(GateRefused):
        prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    assert not list(tmp_path.iterdir())


def test_what_is_said_of_a_dataset_is_in_its_card(tmp_path):
    said = {"owner": "lab", "licence": "CC-BY-4.0", "regions": ["MA", "EU"], "retain_until": "2999-12-31"}
    params = PrepareDataParams.model_validate({"governance": said})
    card = prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    assert card.governance == params.governance


def samples(*digests):
    return [Sample(id=f"s{n}", uri="", sha256=digest, split="train", label="a") for n, digest in enumerate(digests)]


def test_a_sample_on_the_erasure_list_is_named(tmp_path):
    (tmp_path / "erased.txt").write_text(f"# taken back\n\n{DIGEST.upper()}  # by letter\n")
    with pytest.raises(GateRefused, match="names s1"):
        refuse_erased(samples("cd" * 32, DIGEST), tmp_path / "erased.txt")


def test_samples_that_are_not_on_it_pass(tmp_path):
    (tmp_path / "erased.txt").write_text(f"{DIGEST}\n")
    refuse_erased(samples("cd" * 32), tmp_path / "erased.txt")


def test_all_that_are_on_it_are_counted(tmp_path):
    (tmp_path / "erased.txt").write_text(f"{DIGEST}\n")
    with pytest.raises(GateRefused, match="s0 and 2 more"):
        refuse_erased(samples(DIGEST, DIGEST, DIGEST), tmp_path / "erased.txt")


@pytest.mark.parametrize("line", ["short", DIGEST[:-1], f"{DIGEST}0", "g" * 64, f"{DIGEST} {DIGEST}"])
def test_a_line_that_is_no_digest_is_named(tmp_path, line):
    (tmp_path / "erased.txt").write_text(f"{DIGEST}\n{line}\n")
    with pytest.raises(DataFault, match="line 2 is no sha256"):
        read_erased(tmp_path / "erased.txt")


def test_an_empty_list_names_nobody(tmp_path):
    (tmp_path / "erased.txt").write_text("")
    assert read_erased(tmp_path / "erased.txt") == frozenset()


def test_a_missing_list_is_an_input_fault(tmp_path):
    with pytest.raises(InputFault):
        read_erased(tmp_path / "erased.txt")


def test_a_list_of_bytes_is_a_data_fault(tmp_path):
    (tmp_path / "erased.txt").write_bytes(bytes(range(256)))
    with pytest.raises(DataFault):
        read_erased(tmp_path / "erased.txt")
