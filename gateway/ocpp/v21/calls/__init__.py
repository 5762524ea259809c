"""Neutral commands as OCPP 2.1 calls, by what they are about; the table is in `gateway.ocpp.v21.outbound`."""
