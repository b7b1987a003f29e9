"""RTP: receiving, renditions and their fan-out, RTCP, the one media port."""
