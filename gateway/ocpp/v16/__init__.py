"""OCPP 1.6 (edition 2 with errata) and its security extension: the tables."""
