"""Rotating machines that exist on paper only: what shakes in them, and what a sensor makes of it.

Three rooms, in the order in which a reading comes about: `machine` says how a machine is built, `excitation` what
shakes in it in one state of health, `sensor` how that arrives as numbers. Everything is drawn from a seed.

Shapes: `L` readings of a window, `C` channels: radial x, radial y, axial.
"""

CHANNELS = ("x", "y", "axial")
