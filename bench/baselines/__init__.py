"""What the daemon is compared to, run in the same call."""
