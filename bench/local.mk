# What measures; nothing of it is installed or run by `make check`. `make bench` builds it; RESULTS.md says how each is run.
EXTRA_PROGRAMS += bench/herd bench/listen bench/fastcgi_load bench/publish_plain
bench_herd_SOURCES = bench/herd.c
bench_listen_SOURCES = bench/listen.c
bench_fastcgi_load_SOURCES = bench/fastcgi_load.c
bench_fastcgi_load_LDADD = common/libcommon.a
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
EXTRA_DIST += bench/RESULTS.md bench/herd.py bench/publish.py bench/memory.py bench/scale.py
.PHONY: bench
bench: all $(EXTRA_PROGRAMS)
