"""The daemon: sockets, clocks, legs, engine, conferences, API, pages, store, command line."""
