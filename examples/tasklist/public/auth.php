<?php
/*
 * The auth URL: the streamer asks here, with the listener's own cookie, whether
 * ?topic= may be heard. 2xx is yes, 401 and 403 are no.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';
require __DIR__ . '/../lib/read_only_sessions.php';
require __DIR__ . '/../lib/store.php';

/* The verdict may be used again for so many seconds; PHP would say no-store for us. */
function allow(int $seconds): never
{
    header("Cache-Control: private, max-age=$seconds");
    http_response_code(204);
    exit;
}

function deny(int $status, string $detail): never
{
    header('Cache-Control: no-store');
    send_json($status, ['detail' => $detail]);
}

$topic = is_string($_GET['topic'] ?? null) ? $_GET['topic'] : '';

if ($topic === 'comments') {
    allow(60); // open to everybody
}
if (!isset($_COOKIE[SESSION_COOKIE])) {
    deny(401, 'Sign in first'); // and no session is made for a stranger
}

session_set_save_handler(new ReadOnlySessions(), false);
start_session(['cache_limiter' => '']);
$user = $_SESSION['user'] ?? null;
if ($user === null) {
    deny(401, 'Sign in first');
}

header("X-SSE-User: $user");
if ($topic === user_topic($user)) {
    allow(5);
}
if (preg_match('/^list:([1-9][0-9]{0,17})$/D', $topic, $match) && may_see($user, (int) $match[1])) {
    allow(5);
}
deny(403, "$user may not listen to $topic");
