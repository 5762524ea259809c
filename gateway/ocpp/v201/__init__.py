"""OCPP 2.0.1 (edition 3): the tables. OCPP 2.1 reuses those of its rows that did not change."""
