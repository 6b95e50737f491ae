"""Figures of speed: each module measures one, `python -m benchmarks` prints all. Never part of the tests."""
