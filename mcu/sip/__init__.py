"""SIP on sockets: transports, the endpoint that drives the agent of ``signalling.sip``, calls."""
