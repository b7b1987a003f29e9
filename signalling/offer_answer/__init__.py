"""Offer and answer (RFC 3264) with SIP peers: pure functions from description to agreement."""
