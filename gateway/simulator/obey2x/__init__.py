"""OCPP 2.0.1 and 2.1: how a charger obeys the CSMS's calls; `table` has them all."""
