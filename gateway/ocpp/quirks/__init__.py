"""What is known of makes of chargers: how they stray from OCPP. `makes.toml` holds it, `catalog` chooses from it."""
