<?php
/*
 * What the web server answers in place of its own 503 while the streamer is
 * away: an EventSource that gets a 503 gives up for good, one that gets this
 * comes back after a few seconds.
 */
declare(strict_types=1);

$status = (int) ($_SERVER['REDIRECT_STATUS'] ?? 503);
if ($status >= 400 && $status < 500) {
    http_response_code($status); // the client's own mistake stays one
    exit;
}

http_response_code(200);
header('Content-Type: text/event-stream; charset=utf-8');
header('Cache-Control: no-cache, no-transform');
header('X-Accel-Buffering: no');
if (isset($_SERVER['HTTP_ORIGIN'])) {
    header('Access-Control-Allow-Origin: ' . $_SERVER['HTTP_ORIGIN']);
    header('Access-Control-Allow-Credentials: true');
    header('Vary: Origin');
}
echo 'retry: ', random_int(2000, 6000), "\n",
    "event: sse.busy\n",
    "data: {\"detail\":\"The streamer is not running\"}\n\n";
