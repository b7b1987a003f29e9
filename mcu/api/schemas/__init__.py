"""What goes over HTTP: one pydantic model per body, by resource."""
