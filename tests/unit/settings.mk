# Unit tests: settings and what belongs to them (floor 4, and the forms that settings check),
# and connections to servers, plain and under TLS.
EXTRA_DIST += tests/unit/settings_tools.h
if HAVE_CHECK
settings_unit_tests = \
	tests/unit/test_endpoint \
	tests/unit/test_netmask \
	tests/unit/test_redis_url \
	tests/unit/test_log \
	tests/unit/test_settings \
	tests/unit/test_settings_read \
	tests/unit/test_options \
	tests/unit/test_wire \
	tests/unit/test_settings_oom
check_PROGRAMS += $(settings_unit_tests)
TESTS += $(settings_unit_tests)
settings_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
settings_unit_libs = common/libcommon.a $(CHECK_LIBS)

tests_unit_test_endpoint_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_endpoint_LDADD = $(settings_unit_libs)
tests_unit_test_netmask_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_netmask_LDADD = $(settings_unit_libs)
tests_unit_test_redis_url_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_redis_url_LDADD = $(settings_unit_libs)
tests_unit_test_log_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_log_LDADD = $(settings_unit_libs) $(JSONC_LIBS)
tests_unit_test_settings_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_settings_LDADD = $(settings_unit_libs)
tests_unit_test_settings_read_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_settings_read_LDADD = $(settings_unit_libs)
tests_unit_test_options_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_options_LDADD = $(settings_unit_libs)
tests_unit_test_wire_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_wire_LDADD = $(settings_unit_libs) $(SSL_LIBS)
tests_unit_test_settings_oom_SOURCES = tests/unit/test_settings_oom.c $(oom_sources)
tests_unit_test_settings_oom_CPPFLAGS = $(settings_unit_cppflags)
tests_unit_test_settings_oom_LDFLAGS = $(oom_ldflags)
tests_unit_test_settings_oom_LDADD = $(settings_unit_libs)
endif
