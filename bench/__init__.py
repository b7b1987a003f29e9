"""Load generators, capacity runs and kernels, each beside a baseline."""
