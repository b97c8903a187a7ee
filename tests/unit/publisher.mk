# Unit tests: the core of publish. They link neither libfcgi nor hiredis, which keeps it free of both.
if HAVE_CHECK
publisher_unit_tests = \
	tests/unit/test_response \
	tests/unit/test_split \
	tests/unit/test_sha256 \
	tests/unit/test_access \
	tests/unit/test_decode \
	tests/unit/test_decode_json \
	tests/unit/test_decode_form \
	tests/unit/test_decode_control \
	tests/unit/test_handle \
	tests/unit/test_handle_who \
	tests/unit/test_handle_control \
	tests/unit/test_exchange \
	tests/unit/test_resp \
	tests/unit/test_publish_oom
check_PROGRAMS += $(publisher_unit_tests)
TESTS += $(publisher_unit_tests)
publisher_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
publisher_unit_libs = publisher/libpublisher.a common/libcommon.a $(CRYPTO_LIBS) $(CHECK_LIBS)
decode_case = tests/unit/decode_case.c tests/unit/decode_case.h
publish_case = tests/unit/publish_case.c tests/unit/publish_case.h

tests_unit_test_response_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_response_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_split_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_split_LDADD = $(publisher_unit_libs)
tests_unit_test_sha256_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_sha256_LDADD = $(publisher_unit_libs)
tests_unit_test_access_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_access_LDADD = $(publisher_unit_libs)
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c $(decode_case) $(payloads_sources)
tests_unit_test_decode_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_decode_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_decode_json_SOURCES = tests/unit/test_decode_json.c $(decode_case)
tests_unit_test_decode_json_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_decode_json_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_decode_form_SOURCES = tests/unit/test_decode_form.c $(decode_case)
tests_unit_test_decode_form_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_decode_form_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_decode_control_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_decode_control_LDADD = $(publisher_unit_libs)
tests_unit_test_handle_SOURCES = tests/unit/test_handle.c $(publish_case)
tests_unit_test_handle_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_handle_LDADD = $(publisher_unit_libs)
tests_unit_test_handle_who_SOURCES = tests/unit/test_handle_who.c $(publish_case)
tests_unit_test_handle_who_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_handle_who_LDADD = $(publisher_unit_libs)
tests_unit_test_handle_control_SOURCES = tests/unit/test_handle_control.c $(publish_case)
tests_unit_test_handle_control_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_handle_control_LDADD = $(publisher_unit_libs)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(publish_case)
tests_unit_test_exchange_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_exchange_LDADD = $(publisher_unit_libs)
tests_unit_test_resp_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_resp_LDADD = $(publisher_unit_libs)
tests_unit_test_publish_oom_SOURCES = tests/unit/test_publish_oom.c $(oom_sources)
tests_unit_test_publish_oom_LDFLAGS = $(oom_ldflags)
tests_unit_test_publish_oom_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_publish_oom_LDADD = $(publisher_unit_libs)
endif
