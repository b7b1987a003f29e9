"""What offer and answer have in common with browsers (WebRTC) and with hardware rooms (SIP)."""
