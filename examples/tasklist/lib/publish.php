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
    $request = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Content-Type: application/json',
            'Authorization: Bearer ' . getenv('TASKLIST_PUBLISH_TOKEN'),
        ],
        'content' => json_encode(['topics' => $topics, 'event' => $event, 'data' => $data]),
        'timeout' => 2,
        'ignore_errors' => true, // so that the text of a 4xx reaches the log
    ]]);
    $answer = @file_get_contents((string) getenv('TASKLIST_PUBLISH_URL'), false, $request);
    $status = $http_response_header[0] ?? 'no answer';
    if (!preg_match('~^HTTP/\S+ 200\b~', $status)) {
        error_log("publish $event: $status " . trim((string) $answer));
    }
}
