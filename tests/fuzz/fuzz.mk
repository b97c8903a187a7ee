# Fuzz targets. Each is three lines here and a folder of inputs, tests/fuzz/corpus/<target>/, which replay.sh feeds to it in
# `make check` with any compiler. After `configure --enable-fuzzing` the same programs are libFuzzer's:
#   make tests/fuzz/fuzz_event && tests/fuzz/fuzz_event -max_total_time=60 /tmp/found tests/fuzz/corpus/event
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
dist_check_SCRIPTS += tests/fuzz/replay.sh
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/corpus
fuzz_libs = common/libcommon.a $(JSONC_LIBS) $(FUZZ_ENGINE)
fuzz_main = tests/fuzz/fuzz.h
if !FUZZING
fuzz_main += tests/fuzz/replay_main.c
endif

fuzz_programs += tests/fuzz/fuzz_jsonspan
tests_fuzz_fuzz_jsonspan_SOURCES = tests/fuzz/fuzz_jsonspan.c $(fuzz_main)
tests_fuzz_fuzz_jsonspan_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_event
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c $(fuzz_main)
tests_fuzz_fuzz_event_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(fuzz_main)
tests_fuzz_fuzz_control_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_urlenc
tests_fuzz_fuzz_urlenc_SOURCES = tests/fuzz/fuzz_urlenc.c $(fuzz_main)
tests_fuzz_fuzz_urlenc_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_topic_cursor
tests_fuzz_fuzz_topic_cursor_SOURCES = tests/fuzz/fuzz_topic_cursor.c $(fuzz_main)
tests_fuzz_fuzz_topic_cursor_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c $(fuzz_main)
tests_fuzz_fuzz_settings_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_redis_url
tests_fuzz_fuzz_redis_url_SOURCES = tests/fuzz/fuzz_redis_url.c $(fuzz_main)
tests_fuzz_fuzz_redis_url_LDADD = $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_publish_body
tests_fuzz_fuzz_publish_body_SOURCES = tests/fuzz/fuzz_publish_body.c $(fuzz_main)
tests_fuzz_fuzz_publish_body_LDADD = publisher/libpublisher.a $(CRYPTO_LIBS) $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_control_body
tests_fuzz_fuzz_control_body_SOURCES = tests/fuzz/fuzz_control_body.c $(fuzz_main)
tests_fuzz_fuzz_control_body_LDADD = publisher/libpublisher.a $(CRYPTO_LIBS) $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_tokens
tests_fuzz_fuzz_tokens_SOURCES = tests/fuzz/fuzz_tokens.c $(fuzz_main)
tests_fuzz_fuzz_tokens_LDADD = publisher/libpublisher.a $(CRYPTO_LIBS) $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_http_request
tests_fuzz_fuzz_http_request_SOURCES = tests/fuzz/fuzz_http_request.c $(fuzz_main)
tests_fuzz_fuzz_http_request_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_subscribe
tests_fuzz_fuzz_subscribe_SOURCES = tests/fuzz/fuzz_subscribe.c $(fuzz_main)
tests_fuzz_fuzz_subscribe_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_sse
tests_fuzz_fuzz_sse_SOURCES = tests/fuzz/fuzz_sse.c $(fuzz_main)
tests_fuzz_fuzz_sse_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_auth_reply
tests_fuzz_fuzz_auth_reply_SOURCES = tests/fuzz/fuzz_auth_reply.c $(fuzz_main)
tests_fuzz_fuzz_auth_reply_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_auth_batch
tests_fuzz_fuzz_auth_batch_SOURCES = tests/fuzz/fuzz_auth_batch.c $(fuzz_main)
tests_fuzz_fuzz_auth_batch_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_auth_caching
tests_fuzz_fuzz_auth_caching_SOURCES = tests/fuzz/fuzz_auth_caching.c $(fuzz_main)
tests_fuzz_fuzz_auth_caching_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_ticket
tests_fuzz_fuzz_ticket_SOURCES = tests/fuzz/fuzz_ticket.c $(fuzz_main)
tests_fuzz_fuzz_ticket_LDADD = streamer/libstreamer_core.a $(fuzz_libs) $(CJOSE_LIBS) $(CRYPTO_LIBS)

fuzz_programs += tests/fuzz/fuzz_redis_info
tests_fuzz_fuzz_redis_info_SOURCES = tests/fuzz/fuzz_redis_info.c $(fuzz_main)
tests_fuzz_fuzz_redis_info_LDADD = streamer/libstreamer_core.a $(fuzz_libs)

fuzz_programs += tests/fuzz/fuzz_replay_reply
tests_fuzz_fuzz_replay_reply_SOURCES = tests/fuzz/fuzz_replay_reply.c $(fuzz_main)
tests_fuzz_fuzz_replay_reply_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
tests_fuzz_fuzz_replay_reply_LDADD = streamer/libstreamer_io.a streamer/libstreamer_core.a $(fuzz_libs) $(HIREDIS_LIBS)

fuzz_programs += tests/fuzz/fuzz_where
tests_fuzz_fuzz_where_SOURCES = tests/fuzz/fuzz_where.c $(fuzz_main)
tests_fuzz_fuzz_where_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
tests_fuzz_fuzz_where_LDADD = $(fuzz_libs) $(HIREDIS_LIBS)
