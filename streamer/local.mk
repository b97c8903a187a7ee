# streamer: the core (no loop, no sockets), the I/O round it, and the program.
noinst_LIBRARIES += streamer/libstreamer_core.a streamer/libstreamer_io.a
streamer_libstreamer_core_a_SOURCES = \
	streamer/clock.h \
	streamer/frame.c streamer/frame.h \
	streamer/outq.c streamer/outq.h \
	streamer/deadline.c streamer/deadline.h \
	streamer/wheel.c streamer/wheel.h \
	streamer/fifo.c streamer/fifo.h \
	streamer/jitter.c streamer/jitter.h \
	streamer/hub.c streamer/hub.h \
	streamer/users.c streamer/users.h \
	streamer/revocations.c streamer/revocations.h \
	streamer/filter.c streamer/filter.h \
	streamer/opening.c streamer/opening.h \
	streamer/log_read.h \
	streamer/tail.c streamer/tail.h \
	streamer/replay.c streamer/replay.h \
	streamer/heard.c streamer/heard.h \
	streamer/recent.c streamer/recent.h \
	streamer/batch.c streamer/batch.h \
	streamer/sse.c streamer/sse.h \
	streamer/event_frame.c streamer/event_frame.h \
	streamer/cursor_text.c streamer/cursor_text.h \
	streamer/notice.c streamer/notice.h \
	streamer/http_request.c streamer/http_request.h \
	streamer/forwarded.c streamer/forwarded.h \
	streamer/ip_count.c streamer/ip_count.h \
	streamer/seen.c streamer/seen.h \
	streamer/sketch.c streamer/sketch.h \
	streamer/topic_report.c streamer/topic_report.h \
	streamer/shared.c streamer/shared.h \
	streamer/places.c streamer/places.h \
	streamer/redis_clock.c streamer/redis_clock.h \
	streamer/redis_info.c streamer/redis_info.h \
	streamer/cors.c streamer/cors.h \
	streamer/answer.c streamer/answer.h \
	streamer/ask.h \
	streamer/kept_ask.c streamer/kept_ask.h \
	streamer/subscribe_form.c streamer/subscribe_form.h \
	streamer/route.c streamer/route.h \
	streamer/auth_reply.c streamer/auth_reply.h \
	streamer/auth_url.c streamer/auth_url.h \
	streamer/auth_batch.c streamer/auth_batch.h \
	streamer/auth_breaker.c streamer/auth_breaker.h \
	streamer/auth_fields.c streamer/auth_fields.h \
	streamer/auth_policy.c streamer/auth_policy.h \
	streamer/auth_key.c streamer/auth_key.h \
	streamer/verdicts.c streamer/verdicts.h \
	streamer/auth_memory.c streamer/auth_memory.h \
	streamer/auth_forgotten.c streamer/auth_forgotten.h \
	streamer/ticket_keys.c streamer/ticket_keys.h \
	streamer/ticket_form.c streamer/ticket_form.h \
	streamer/ticket.c streamer/ticket.h \
	streamer/ticket_place.c streamer/ticket_place.h \
	streamer/stats.c streamer/stats.h
streamer_libstreamer_core_a_CPPFLAGS = $(AM_CPPFLAGS) $(JSONC_CFLAGS)

streamer_libstreamer_io_a_SOURCES = \
	streamer/config.c streamer/config.h \
	streamer/descriptors.c streamer/descriptors.h \
	streamer/crew.c streamer/crew.h \
	streamer/sockets.c streamer/sockets.h \
	streamer/supervisor.c streamer/supervisor.h \
	streamer/census.c streamer/census.h \
	streamer/reception.c streamer/reception.h \
	streamer/figures.c streamer/figures.h \
	streamer/entrance.c streamer/entrance.h \
	streamer/listener.c streamer/listener.h \
	streamer/listeners.c streamer/listeners.h \
	streamer/client.c streamer/client.h streamer/client_inside.h \
	streamer/client_in.c streamer/client_out.c \
	streamer/resolve.c streamer/resolve.h \
	streamer/dial.c streamer/dial.h \
	streamer/redis_reader.c streamer/redis_reader.h \
	streamer/redis_conn.c streamer/redis_conn.h \
	streamer/redis_half.c streamer/redis_half.h \
	streamer/replay_call.c streamer/replay_call.h \
	streamer/redis_ops.h \
	streamer/sentinel.c streamer/sentinel.h \
	streamer/redis_link.c streamer/redis_link.h streamer/redis_link_inside.h \
	streamer/redis_subscriber.c streamer/redis_asker.c \
	streamer/redis_cluster.c streamer/redis_cluster.h \
	streamer/auth_kept.c streamer/auth_kept.h \
	streamer/auth_http.c streamer/auth_http.h \
	streamer/auth_complaint.c streamer/auth_complaint.h \
	streamer/auth_told.c streamer/auth_told.h \
	streamer/auth_calls.c streamer/auth_calls.h \
	streamer/auth.c streamer/auth.h \
	streamer/ticket_file.c streamer/ticket_file.h \
	streamer/metrics.c streamer/metrics.h \
	streamer/admin.c streamer/admin.h \
	streamer/stream.h \
	streamer/telling.c streamer/telling.h \
	streamer/poll.c streamer/poll.h \
	streamer/delivery.c streamer/delivery.h \
	streamer/spread.c streamer/spread.h \
	streamer/fan_out.c streamer/fan_out.h \
	streamer/arrival.c streamer/arrival.h \
	streamer/tails.c streamer/tails.h \
	streamer/resume.c streamer/resume.h \
	streamer/rounds.c streamer/rounds.h \
	streamer/permit.c streamer/permit.h \
	streamer/revoke.c streamer/revoke.h \
	streamer/trail.c streamer/trail.h \
	streamer/recheck.c streamer/recheck.h \
	streamer/controls.c streamer/controls.h \
	streamer/pulse.c streamer/pulse.h \
	streamer/streams.c streamer/streams.h \
	streamer/admission.c streamer/admission.h \
	streamer/streams_redis.c streamer/streams_redis.h \
	streamer/server.c streamer/server.h
nodist_streamer_libstreamer_io_a_SOURCES = streamer/replay_lua.h
streamer_libstreamer_io_a_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS) $(CURL_CFLAGS) $(JSONC_CFLAGS)

bin_PROGRAMS += streamer/streamer
streamer_streamer_SOURCES = streamer/main.c
streamer_streamer_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
streamer_streamer_LDADD = streamer/libstreamer_io.a streamer/libstreamer_core.a common/libcommon.a \
	$(HIREDIS_LIBS) $(CURL_LIBS) $(JSONC_LIBS) $(CJOSE_LIBS) $(SSL_LIBS) $(EV_LIBS)

streamer/libstreamer_io_a-replay_call.$(OBJEXT): streamer/replay_lua.h
BUILT_SOURCES += streamer/replay_lua.h
CLEANFILES += streamer/replay_lua.h
EXTRA_DIST += streamer/replay.lua
streamer/replay_lua.h: common/ids.lua streamer/replay.lua scripts/lua2h.sh
	$(AM_V_GEN)$(MKDIR_P) streamer && $(SHELL) $(top_srcdir)/scripts/lua2h.sh replay \
		$(top_srcdir)/common/ids.lua $(top_srcdir)/streamer/replay.lua > $@.tmp && mv $@.tmp $@
