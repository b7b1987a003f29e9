"""Video in processes of its own, so that codecs and packets never wait for one interpreter lock."""
