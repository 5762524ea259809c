"""A vendor's own messages."""

from typing import Any

from pydantic import Field

from gateway.core.arguments.base import Arguments


class DataTransfer(Arguments):
    """A vendor's own message."""

    vendor_id: str = Field(min_length=1, max_length=255)
    message_id: str | None = None
    data: Any = None
