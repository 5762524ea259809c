"""`doctor`: checks everything that a charger's way through the gateway needs, and says what to do."""
