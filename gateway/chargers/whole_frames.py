"""The one kind of WebSocket frame that nearly all traffic consists of, read and written in one step.

The sans-I/O protocol of `websockets` reads any frame in any piece, at a price: some 7 % of the gateway's time in a
sampled profile under load. A text message that arrives as one whole, final frame, alone, is known by its first bytes;
everything else is left to the library (RFC 6455 section 5.2).
"""

from websockets.frames import Frame

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform for which websockets has no compiled part
    from websockets.utils import apply_mask

_FINAL_TEXT = 0x81
_MASKED = 0x80


def payload_of(data: bytes, limit: int) -> bytes | None:
    """The payload of one whole, final, masked text frame and nothing else, unmasked; None for anything else.

    `limit` is the longest payload, in bytes, that is read here.
    """
    if len(data) < 6 or data[0] != _FINAL_TEXT or not data[1] & _MASKED:
        return None
    length, begin = data[1] & 0x7F, 6
    if length == 126:
        length, begin = int.from_bytes(data[2:4], "big"), 8
        if length < 126:
            return None
    elif length == 127:
        return None
    if length > limit or len(data) != begin + length:
        return None
    return bytes(apply_mask(data[begin:], data[begin - 4 : begin]))


def frame_size(frame: Frame) -> int:
    """Bytes that a masked frame took on the wire, written in its shortest form."""
    length = len(frame.data)
    return 6 + length + (0 if length < 126 else 2 if length < 65536 else 8)


def frame_of(payload: bytes) -> bytes | None:
    """One whole, final, unmasked text frame; None for a payload that takes the longest form of length."""
    length = len(payload)
    if length < 126:
        return bytes((_FINAL_TEXT, length)) + payload
    if length < 65536:
        return bytes((_FINAL_TEXT, 126, length >> 8, length & 0xFF)) + payload
    return None
