# What measures; nothing of it is installed or run by `make check`. `make bench` builds it; RESULTS.md says how each is run.
EXTRA_PROGRAMS += bench/herd bench/listen bench/fastcgi_load bench/hop bench/publish_plain bench/load bench/floor
bench_herd_SOURCES = bench/herd.c bench/histogram.c bench/histogram.h
bench_listen_SOURCES = bench/listen.c
bench_fastcgi_load_SOURCES = bench/fastcgi_load.c
bench_fastcgi_load_LDADD = common/libcommon.a
bench_hop_SOURCES = bench/hop.c bench/address.c bench/address.h bench/histogram.c bench/histogram.h
bench_hop_LDADD = common/libcommon.a
# The program as it is, with another log behind its seam.
bench_publish_plain_SOURCES = bench/log_plain.c \
	publisher/main.c \
	publisher/config.c publisher/config.h \
	publisher/fcgi.c publisher/fcgi.h \
	publisher/tokens_file.c publisher/tokens_file.h \
	publisher/redis_sync.c publisher/redis_sync.h \
	publisher/log_redis.h
bench_publish_plain_CPPFLAGS = $(publisher_publish_CPPFLAGS)
bench_publish_plain_LDADD = $(publisher_publish_LDADD)
# Pieces of the load generator that the unit tests hold to their word, too.
bench_load_pieces = \
	bench/mark.c bench/mark.h bench/seen.h \
	bench/histogram.c bench/histogram.h
bench_load_SOURCES = bench/load.c bench/address.c bench/address.h $(bench_load_pieces) \
	bench/load_options.c bench/load_options.h \
	bench/load_run.c bench/load_run.h \
	bench/listeners.c bench/listeners.h \
	bench/tally.c bench/tally.h \
	bench/cpu.c bench/cpu.h \
	bench/publisher.c bench/publisher.h bench/publisher_ways.h \
	bench/publisher_redis.c bench/publisher_http.c \
	publisher/append_call.c publisher/append_call.h
nodist_bench_load_SOURCES = publisher/append_lua.h
bench_load_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
bench_load_LDADD = common/libcommon.a $(HIREDIS_LIBS)
publisher/bench_load-append_call.$(OBJEXT): publisher/append_lua.h
bench_floor_SOURCES = bench/floor.c bench/floor.h bench/floor_streams.c bench/floor_source.c \
	bench/address.c bench/address.h
bench_floor_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
bench_floor_LDADD = common/libcommon.a $(HIREDIS_LIBS)
EXTRA_DIST += bench/RESULTS.md bench/herd.py bench/herd_auth.py bench/publish.py bench/auth_hop.py bench/memory.py bench/scale.py \
	bench/run bench/servers.py bench/under_callgrind.py bench/measures.py bench/rows.py bench/report.py bench/plots.py \
	bench/node_sse.js bench/plots
.PHONY: bench
# After all, not beside it: both would make the same objects at the same time.
bench: all
	$(MAKE) $(AM_MAKEFLAGS) $(EXTRA_PROGRAMS)
