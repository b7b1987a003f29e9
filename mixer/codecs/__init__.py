"""Codecs behind two small interfaces: one for sound, one for pictures."""
