"""What the gateway's speed claims rest on: ratios measured side by side in one run (`make bench`)."""
