# Unit tests: publisher.
