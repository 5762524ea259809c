"""What the gateway means, without any wire: events, commands, state, and the ports that others implement."""
