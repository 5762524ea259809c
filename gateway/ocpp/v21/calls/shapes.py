"""What OCPP 2.1 allows in calls that are otherwise those of 2.0.1."""

from gateway.ocpp.v201.calls.shapes import Dialect

V21 = Dialect(
    version="2.1",
    token_length=255,
    token_types=None,
    url_length=2000,
    value_length=2500,
    certificate_length=10000,
    text_length=1024,
    user_length=50,
    password_length=64,
    connector_types=None,
)
