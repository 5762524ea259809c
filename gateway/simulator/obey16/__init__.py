"""OCPP 1.6 and its security extension: how a charger obeys the CSMS's calls; `table` has them all."""
