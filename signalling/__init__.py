"""Protocol rules without I/O: bytes and ``now`` come in, events and datagrams go out."""
