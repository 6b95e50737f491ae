"""The digest of samples."""

from edgeloop.canonical import digest_of
from edgeloop.data import dataset
from edgeloop.data.dataset import Sample, samples_digest


def test_a_digest_is_that_of_the_list_of_all_samples(monkeypatch):
    monkeypatch.setattr(dataset, "_DIGESTED", 2)
    samples = [Sample(id=f"{n}.png", uri="", sha256="0" * 64, split="train", label="a") for n in (3, 1, 2, 5, 4)]
    told = [[f"{n}.png", "0" * 64, "a", "", "", "", ""] for n in range(1, 6)]
    for count in (0, 2, 5):
        given = sorted(samples, key=lambda sample: sample.id)[:count]
        assert samples_digest(given[::-1]) == digest_of(told[:count])
