# Unit tests: streamer.
