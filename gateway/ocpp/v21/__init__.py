"""OCPP 2.1 (edition 1): the tables. Rows that did not change since 2.0.1 are those of `gateway.ocpp.v201`."""
