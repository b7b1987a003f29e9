"""Sound: levels, speaker selection, playout, the mix bus; blocks in, blocks out."""
