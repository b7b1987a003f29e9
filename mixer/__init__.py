"""Media arithmetic without I/O: sound, pictures, and the codecs of both."""
