"""Notices by domain; which action is which, the inbound table says."""
