"""The log that OCPP 1.6 knows without its security extension: diagnostics."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import word
from gateway.ocpp.notices import changed
from gateway.ocpp.profile import Notes

_SAME_WORDS = {"upload_failed": "upload_failure"}
"""What LogStatusNotification calls otherwise."""


def diagnostics_status(payload: dict[str, Any], notes: Notes) -> Report:
    """Section 4.4, in the words of a LogStatusNotification. It names no request."""
    status = word(payload, "status", notes)
    status = _SAME_WORDS.get(status, status) if status is not None else None
    data = {"status": status, "request_id": None, "status_info": None, "log_type": "diagnostics"}
    return Notice("ocpp.log.status", data, changes=changed("log_status", status))
