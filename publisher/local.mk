# publish: the FastCGI and CGI program.
noinst_LIBRARIES += publisher/libpublisher.a
publisher_libpublisher_a_SOURCES = \
	publisher/request.h \
	publisher/log.h \
	publisher/split.c publisher/split.h \
	publisher/response.c publisher/response.h \
	publisher/charset.c publisher/charset.h \
	publisher/decode.c publisher/decode.h \
	publisher/decode_build.c publisher/decode_build.h \
	publisher/decode_json.c publisher/decode_form.c \
	publisher/decode_control.c publisher/decode_control.h \
	publisher/sha256.c publisher/sha256.h \
	publisher/access.c publisher/access.h \
	publisher/handle_publish.c publisher/handle_publish.h \
	publisher/handle_control.c publisher/handle_control.h \
	publisher/handle.c publisher/handle.h \
	publisher/exchange.c publisher/exchange.h

bin_PROGRAMS += publisher/publish
publisher_publish_SOURCES = \
	publisher/main.c \
	publisher/config.c publisher/config.h \
	publisher/fcgi.c publisher/fcgi.h \
	publisher/tokens_file.c publisher/tokens_file.h \
	publisher/redis_sync.c publisher/redis_sync.h \
	publisher/place.h \
	publisher/sentinel_sync.c publisher/sentinel_sync.h \
	publisher/cluster_sync.c publisher/cluster_sync.h \
	publisher/servers.c publisher/servers.h \
	publisher/trouble.c publisher/trouble.h \
	publisher/replicas.c publisher/replicas.h \
	publisher/append_call.c publisher/append_call.h \
	publisher/partition_log.c publisher/partition_log.h \
	publisher/gate.c publisher/gate.h \
	publisher/control_call.c publisher/control_call.h \
	publisher/partition_control.c publisher/partition_control.h \
	publisher/log_redis_inside.h \
	publisher/log_append.c \
	publisher/log_control.c \
	publisher/log_redis.c publisher/log_redis.h
nodist_publisher_publish_SOURCES = publisher/append_lua.h publisher/limit_lua.h publisher/control_lua.h
publisher_publish_CPPFLAGS = $(AM_CPPFLAGS) $(FCGI_CFLAGS) $(HIREDIS_CFLAGS)
publisher_publish_LDADD = publisher/libpublisher.a common/libcommon.a \
	$(FCGI_LIBS) $(HIREDIS_LIBS) $(JSONC_LIBS) $(SSL_LIBS)

BUILT_SOURCES += publisher/append_lua.h publisher/limit_lua.h publisher/control_lua.h
CLEANFILES += publisher/append_lua.h publisher/limit_lua.h publisher/control_lua.h
EXTRA_DIST += publisher/rate.lua publisher/append.lua publisher/limit.lua publisher/control.lua
publisher/append_lua.h: common/ids.lua publisher/rate.lua publisher/append.lua scripts/lua2h.sh
	$(AM_V_GEN)$(MKDIR_P) publisher && $(SHELL) $(top_srcdir)/scripts/lua2h.sh append \
		$(top_srcdir)/common/ids.lua $(top_srcdir)/publisher/rate.lua $(top_srcdir)/publisher/append.lua > $@.tmp && mv $@.tmp $@
publisher/publish-append_call.$(OBJEXT): publisher/append_lua.h
publisher/limit_lua.h: publisher/rate.lua publisher/limit.lua scripts/lua2h.sh
	$(AM_V_GEN)$(MKDIR_P) publisher && $(SHELL) $(top_srcdir)/scripts/lua2h.sh limit \
		$(top_srcdir)/publisher/rate.lua $(top_srcdir)/publisher/limit.lua > $@.tmp && mv $@.tmp $@
publisher/publish-gate.$(OBJEXT): publisher/limit_lua.h
publisher/control_lua.h: publisher/control.lua scripts/lua2h.sh
	$(AM_V_GEN)$(MKDIR_P) publisher && $(SHELL) $(top_srcdir)/scripts/lua2h.sh control \
		$(top_srcdir)/publisher/control.lua > $@.tmp && mv $@.tmp $@
publisher/publish-control_call.$(OBJEXT): publisher/control_lua.h
