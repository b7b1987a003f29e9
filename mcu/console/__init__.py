"""The pages: operator console and join page, static files served with a strict policy."""
