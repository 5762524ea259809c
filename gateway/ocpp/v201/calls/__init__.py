"""Neutral commands as OCPP 2.0.1 calls, by what they are about; the table is in `gateway.ocpp.v201.outbound`."""
