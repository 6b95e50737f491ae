from dataclasses import replace

import numpy as np
import pytest

from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.shapes import rectangle
from edgeloop.data.scenes.things import Upright


@pytest.fixture
def camera() -> Camera:
    return Camera(side_px=320, focal_px=320, centre_px=150, horizon_px=160, height_mm=1400, bend=0)


def seen(camera: Camera, *point: int) -> list[int]:
    return (camera.project(np.array([point])) // 16)[0].tolist()


def test_what_is_at_the_height_of_the_camera_lies_on_the_horizon(camera):
    assert seen(camera, 0, 1400, 9000) == [150, 160]


def test_twice_as_far_is_half_as_wide(camera):
    assert seen(camera, 1000, 1400, 10_000)[0] - 150 == 2 * (seen(camera, 1000, 1400, 20_000)[0] - 150)


def test_the_ground_under_a_line_projects_onto_it(camera):
    lines, depth = camera.ground_lines()
    points = np.stack([np.zeros_like(depth), np.zeros_like(depth), depth], axis=1)
    near = depth < 40_000
    assert np.abs(camera.project(points)[near, 1] - lines[near]).max() <= 1


def test_a_bend_moves_far_things_more(camera):
    bent = replace(camera, bend=9000)
    assert seen(bent, 0, 1400, 5000)[0] - 150 < seen(bent, 0, 1400, 40_000)[0] - 150


def test_a_turned_sign_is_narrower(camera):
    widths = [
        np.ptp(camera.project(Upright(0, 2000, 9000, turn=turn).place(rectangle(0, 0, 900, 900)))[:, 0])
        for turn in (0, 6)
    ]
    assert widths[1] < widths[0]
