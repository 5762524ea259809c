"""The process's memory, set up for what messages do with it once all is up that lives as long as the process does."""

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
_KEPT_FREE = 64 * 1024**2
_MAPPED_ALONE = 32 * 1024**2


def settle() -> None:
    """Have the garbage collector look less often, and freed memory kept for the next batch."""
    # What was made at start lives as long as the process: the collector need never look at it again. Messages make no
    # cycles, so that looking often is time lost (a seventh of it, measured).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    # A batch of commits is a buffer of half a megabyte. Given back to the system after each one, as glibc does left to
    # itself, it comes again page by page: another seventh.
    mallopt = _mallopt()
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_FREE)
        mallopt(_MMAP_THRESHOLD, _MAPPED_ALONE)


def _mallopt() -> "ctypes._NamedFuncPointer | None":
    """glibc's mallopt; None on a platform that has no such thing."""
    try:
        return ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return None
