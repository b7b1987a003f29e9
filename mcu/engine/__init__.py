"""The media of conferences: two mixers on two clocks, and the threads they use."""
