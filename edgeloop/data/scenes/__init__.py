"""Drawn road scenes with Moroccan traffic signs and the truth about them, exact on every machine.

Everything is whole-number arithmetic on numpy arrays: chance from PCG64's raw stream (`dice`), convex outlines
(`shapes`) in the road's frame (`things`), a pinhole camera (`camera`), smooth-edged filling (`canvas`), then light and
weather (`finishing`). `scene` puts them together.
"""

from edgeloop.data.scenes.scene import Scene, Sign, draw_scene
from edgeloop.data.scenes.signs import CLASSES

__all__ = ["CLASSES", "Scene", "Sign", "draw_scene"]
