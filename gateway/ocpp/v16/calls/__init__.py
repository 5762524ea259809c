"""Neutral commands as OCPP 1.6 calls, by what they are about; the table is in `gateway.ocpp.v16.outbound`."""
