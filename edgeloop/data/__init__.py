"""Samples: where they come from, what is known about them, which of them may be used."""
