"""What is said of lost samples."""

from benchmarks import drops


def test_seeds_are_taken_together():
    assert drops.told([drops.Loss(100, 90, 89), drops.Loss(300, 280, 280)]) == "0.25 points (1 of 400 samples)"


def test_a_refused_file_loses_nothing_and_is_told():
    told = drops.told([drops.Loss(100, 90, 90, refused="agreement"), drops.Loss(100, 95, 96)])
    assert told == "-0.50 points (-1 of 200 samples); float kept 1 times (agreement)"
