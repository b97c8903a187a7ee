# Floor 1 (without log and settings) and floor 4: what publisher and streamer share.
noinst_LIBRARIES += common/libcommon.a
common_libcommon_a_SOURCES = \
	common/span.h \
	common/buf.c common/buf.h \
	common/num.c common/num.h \
	common/utf8.c common/utf8.h \
	common/jsonspan.c common/jsonspan_string.c common/jsonspan.h common/jsonspan_escape.h \
	common/urlenc.c common/urlenc.h \
	common/topic.c common/topic.h \
	common/control.c common/control.h \
	common/partition.c common/partition.h \
	common/http_status.c common/http_status.h \
	common/cursor.c common/cursor.h \
	common/event.c common/event.h \
	common/resp.c common/resp.h \
	common/redis_url.c common/redis_url.h \
	common/redis_address.c common/redis_address.h \
	common/cluster_map.c common/cluster_map.h \
	common/sentinel_reply.c common/sentinel_reply.h \
	common/endpoint.c common/endpoint.h \
	common/netmask.c common/netmask.h \
	common/keyed_hash.c common/keyed_hash.h \
	common/log.c common/log.h \
	common/settings.c common/settings.h common/settings_store.h \
	common/settings_read.c common/settings_check.c \
	common/settings_table.c common/settings_table.h \
	common/settings_forms.c common/settings_forms.h \
	common/options.c common/options.h \
	common/file_stamp.c common/file_stamp.h \
	common/io_status.h \
	common/tls.c common/tls.h \
	common/wire.c common/wire.h \
	common/redis_login.c common/redis_login.h
EXTRA_DIST += common/ids.lua scripts/lua2h.sh
