"""The software bridge: a room that is a full WebRTC peer without a browser."""
