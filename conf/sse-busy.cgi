#!/bin/sh
# What EventSource is told while the streamer is away: a stream that is over at once and says when to come back. A 502, 503
# or 504 would end it for ever. Plain CGI, for Apache (ErrorDocument) and lighttpd (server.error-handler); nothing of the
# request gets into the answer but its Origin, which CORS needs, for the body is the same for everybody.
retry=$((5000 + $(od -An -N2 -tu2 /dev/urandom | tr -d ' ') % 10001)) # 5 to 15 s: they must not all come back at once
echo 'Status: 200 OK'
echo 'Content-Type: text/event-stream; charset=utf-8'
echo 'Cache-Control: no-cache, no-transform'
case $HTTP_ORIGIN in
'' | *[!A-Za-z0-9.:/_-]*) ;;
*)
	printf 'Access-Control-Allow-Origin: %s\n' "$HTTP_ORIGIN"
	echo 'Access-Control-Allow-Credentials: true'
	echo 'Vary: Origin'
	;;
esac
printf '\nretry: %s\nevent: sse.busy\ndata: {"detail":"The event stream is restarting"}\n\n' "$retry"
