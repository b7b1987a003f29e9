"""What a centre does around its meetings: keeps what went on in them, and reports on it."""
