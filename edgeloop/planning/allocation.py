"""Memory that goes back to the system as soon as a tensor is freed.

By its defaults the C library of Linux lets a step of convolutions hold 1.1 to 2.2 times the bytes of its tensors, as
was measured; it keeps freed blocks of up to 32 MiB for the next one that fits, and the holes between them are the
likely cause, which was not proven. With the threshold of `mmap` held down (M_MMAP_THRESHOLD, see `man 3 mallopt`) a
step was measured to hold them once, at 1.1 to 2.6 times its time: worth it where the memory would not do otherwise.
"""

import ctypes

HOLES = 2.2
"""Times the bytes of its tensors that a step may hold, where freed blocks are kept."""

_M_MMAP_THRESHOLD = -3
_THRESHOLD_BYTES = 1 << 20


def return_at_once() -> bool:
    """Has blocks of 1 MiB and more returned when they are freed, for the rest of this process; whether it could."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # a C library that has none
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES))
