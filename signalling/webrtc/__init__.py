"""WebRTC: offer and answer, ICE-lite, DTLS."""
