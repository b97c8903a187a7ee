"""ticket_app: an application that makes tickets: a page, and an address that sends a visitor on to the stream."""
import http.server
import threading

from tickets import ticket

PAGE = """<!doctype html><title>t</title><script>
window.seen = []; window.opens = []; window.expired = 0;
window.source = new EventSource('/app/ticket?topic=a');
source.addEventListener('sse.open', (e) => opens.push(JSON.parse(e.data)));
source.addEventListener('sse.expired', () => { expired++; });
source.addEventListener('x', (e) => seen.push([e.lastEventId, e.data]));
</script>"""


class TicketApp:
    """seconds: how long its tickets are good. asked: what it was asked, queries and cursors. closed: it answers 401, as to
    who has signed out."""

    def __init__(self, seconds):
        self.seconds, self.asked, self.closed = seconds, [], False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request):
        path, _, query = request.path.partition("?")
        if path == "/app/ticket":
            self.asked.append((query, request.headers.get("Last-Event-ID")))
        if path == "/app/ticket" and not self.closed:
            request.send_response(307)
            request.send_header("Location", f"/events?ticket={ticket('a', seconds=self.seconds)}&{query}")
            body = b""
        else:
            request.send_response(401 if path == "/app/ticket" else 200)
            request.send_header("Content-Type", "text/html")
            body = PAGE.encode()
        request.send_header("Cache-Control", "no-store")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
