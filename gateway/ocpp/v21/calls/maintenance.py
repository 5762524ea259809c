"""Firmware and logs: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import maintenance

update_firmware = partial(maintenance.update_firmware, dialect=V21)
publish_firmware = partial(maintenance.publish_firmware, dialect=V21)
get_log = partial(maintenance.get_log, dialect=V21)
