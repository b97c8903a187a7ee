# Unit tests: the core of the streamer. They link neither libev nor libcurl nor hiredis, which keeps it free of all three.
EXTRA_DIST += tests/unit/asking.h
if HAVE_CHECK
streamer_unit_tests = \
	tests/unit/test_outq \
	tests/unit/test_batch \
	tests/unit/test_redis_reader \
	tests/unit/test_fifo \
	tests/unit/test_event_frame \
	tests/unit/test_cursor_text \
	tests/unit/test_hub \
	tests/unit/test_users \
	tests/unit/test_revocations \
	tests/unit/test_kept_ask \
	tests/unit/test_time \
	tests/unit/test_opening \
	tests/unit/test_replay \
	tests/unit/test_heard \
	tests/unit/test_sse \
	tests/unit/test_http_request \
	tests/unit/test_route \
	tests/unit/test_subscribe_form \
	tests/unit/test_forwarded \
	tests/unit/test_answer \
	tests/unit/test_auth_reply \
	tests/unit/test_auth_policy \
	tests/unit/test_auth_breaker \
	tests/unit/test_auth_batch \
	tests/unit/test_verdicts \
	tests/unit/test_auth_forgotten \
	tests/unit/test_ticket \
	tests/unit/test_ticket_keys \
	tests/unit/test_stats \
	tests/unit/test_shared \
	tests/unit/test_topic_report \
	tests/unit/test_crew \
	tests/unit/test_streamer_oom \
	tests/unit/test_llhttp
check_PROGRAMS += $(streamer_unit_tests)
TESTS += $(streamer_unit_tests)
streamer_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
streamer_unit_libs = streamer/libstreamer_core.a common/libcommon.a $(JSONC_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)

tests_unit_test_redis_reader_CPPFLAGS = $(streamer_unit_cppflags) $(HIREDIS_CFLAGS)
tests_unit_test_redis_reader_LDADD = streamer/libstreamer_io.a $(HIREDIS_LIBS) $(CHECK_LIBS)
tests_unit_test_batch_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_batch_LDADD = $(streamer_unit_libs)
tests_unit_test_cursor_text_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_cursor_text_LDADD = $(streamer_unit_libs)
tests_unit_test_event_frame_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_event_frame_LDADD = $(streamer_unit_libs)
tests_unit_test_fifo_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_fifo_LDADD = $(streamer_unit_libs)
tests_unit_test_outq_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_outq_LDADD = $(streamer_unit_libs)
tests_unit_test_hub_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_hub_LDADD = $(streamer_unit_libs)
tests_unit_test_users_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_users_LDADD = $(streamer_unit_libs)
tests_unit_test_revocations_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_revocations_LDADD = $(streamer_unit_libs)
tests_unit_test_kept_ask_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_kept_ask_LDADD = $(streamer_unit_libs)
tests_unit_test_auth_forgotten_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_auth_forgotten_LDADD = $(streamer_unit_libs)
tests_unit_test_time_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_time_LDADD = $(streamer_unit_libs)
tests_unit_test_opening_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_opening_LDADD = $(streamer_unit_libs)
tests_unit_test_replay_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_replay_LDADD = $(streamer_unit_libs)
tests_unit_test_heard_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_heard_LDADD = $(streamer_unit_libs)
tests_unit_test_sse_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_sse_LDADD = $(streamer_unit_libs)
tests_unit_test_http_request_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_http_request_LDADD = $(streamer_unit_libs)
tests_unit_test_route_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_route_LDADD = $(streamer_unit_libs)
tests_unit_test_subscribe_form_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_subscribe_form_LDADD = $(streamer_unit_libs)
tests_unit_test_forwarded_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_forwarded_LDADD = $(streamer_unit_libs)
tests_unit_test_answer_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_answer_LDADD = $(streamer_unit_libs)
tests_unit_test_auth_reply_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_auth_reply_LDADD = $(streamer_unit_libs)
tests_unit_test_auth_batch_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_auth_batch_LDADD = $(streamer_unit_libs)
tests_unit_test_auth_breaker_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_auth_breaker_LDADD = $(streamer_unit_libs)
tests_unit_test_auth_policy_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_auth_policy_LDADD = $(streamer_unit_libs)
tests_unit_test_verdicts_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_verdicts_LDADD = $(streamer_unit_libs)
tests_unit_test_ticket_SOURCES = tests/unit/test_ticket.c tests/unit/tokens.h
tests_unit_test_ticket_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_ticket_LDADD = $(streamer_unit_libs) $(CJOSE_LIBS) $(CRYPTO_LIBS)
tests_unit_test_ticket_keys_SOURCES = tests/unit/test_ticket_keys.c tests/unit/tokens.h
tests_unit_test_ticket_keys_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_ticket_keys_LDADD = $(streamer_unit_libs) $(CJOSE_LIBS) $(CRYPTO_LIBS)
tests_unit_test_stats_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_stats_LDADD = $(streamer_unit_libs)
tests_unit_test_topic_report_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_topic_report_LDADD = $(streamer_unit_libs)
tests_unit_test_shared_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_shared_LDADD = $(streamer_unit_libs)
tests_unit_test_crew_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_crew_LDADD = streamer/libstreamer_io.a $(streamer_unit_libs)
tests_unit_test_streamer_oom_SOURCES = tests/unit/test_streamer_oom.c $(oom_sources)
tests_unit_test_streamer_oom_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_streamer_oom_LDFLAGS = $(oom_ldflags)
tests_unit_test_streamer_oom_LDADD = $(streamer_unit_libs)
tests_unit_test_llhttp_SOURCES = tests/unit/test_llhttp.c
if HAVE_LLHTTP
tests_unit_test_llhttp_SOURCES += tests/unit/llhttp_parser.c tests/unit/llhttp_api.c
endif
tests_unit_test_llhttp_CPPFLAGS = $(streamer_unit_cppflags) $(LLHTTP_CPPFLAGS)
tests_unit_test_llhttp_LDADD = $(streamer_unit_libs)
endif
