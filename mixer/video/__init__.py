"""Pictures: layouts, canvases, text, and the composer that draws views."""
