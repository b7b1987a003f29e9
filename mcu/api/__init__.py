"""The HTTP interface: routes by resource, who may use them, and what is answered."""
