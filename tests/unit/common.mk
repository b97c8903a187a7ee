# Unit tests: common.
