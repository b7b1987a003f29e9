"""What outlives the process: registry, tokens, events, audit, in one SQLite file."""
