<?php
/*
 * Publishing is one HTTP request to the web server that this page came from.
 */
declare(strict_types=1);

/*
 * Tells everybody who listens to one of these topics. Call it after COMMIT.
 * Never fails the caller: what was to be saved is saved, and the windows that
 * miss this news fetch everything when their stream opens the next time.
 */
function publish(array $topics, string $event, array $data): void
{
    post('', ['topics' => $topics, 'event' => $event, 'data' => $data]);
}

/*
 * Ends the user's streams, wherever they are open: auth.php is asked about each
 * that comes back. Call it when the session is gone. Where it fails, a window
 * that is still open goes on hearing that something changed, and not what.
 */
function end_streams(string $user): void
{
    post('/control', ['disconnect' => ['user' => $user]]);
}

function post(string $path, array $body): void
{
    $request = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Content-Type: application/json',
            'Authorization: Bearer ' . getenv('TASKLIST_PUBLISH_TOKEN'),
        ],
        'content' => json_encode($body),
        'timeout' => 2,
        'ignore_errors' => true, // so that the text of a 4xx reaches the log
    ]]);
    $answer = @file_get_contents(getenv('TASKLIST_PUBLISH_URL') . $path, false, $request);
    $status = $http_response_header[0] ?? 'no answer';
    if (!preg_match('~^HTTP/\S+ 200\b~', $status)) {
        error_log("publish$path: $status " . trim((string) $answer));
    }
}
