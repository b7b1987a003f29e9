"""Where conferences meet their media: legs come and go, plans are applied, readings are taken."""
