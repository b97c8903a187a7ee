# What measures; nothing of it is installed or run by `make check`. `make bench` builds it; RESULTS.md says how each is run.
EXTRA_PROGRAMS += bench/herd
bench_herd_SOURCES = bench/herd.c
EXTRA_DIST += bench/RESULTS.md bench/herd.py
.PHONY: bench
bench: all $(EXTRA_PROGRAMS)
