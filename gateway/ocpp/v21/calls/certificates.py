"""Certificates: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import certificates

install_certificate = partial(certificates.install_certificate, dialect=V21)
list_certificates = partial(certificates.list_certificates, dialect=V21)
send_certificate = partial(certificates.send_certificate, dialect=V21)
