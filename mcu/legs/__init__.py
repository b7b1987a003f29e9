"""Media connections of participants: one protocol, one file per transport."""
