"""Recording: a viewer of a shared rendition whose packets go to a file instead of a line."""
