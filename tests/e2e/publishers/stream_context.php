<?php
// PHP without any extension: php stream_context.php URL TOKEN TOPIC EVENT DATA
[, $url, $token, $topic, $event, $data] = $argv;
$answer = file_get_contents($url, false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => ["Authorization: Bearer $token", 'Content-Type: application/x-www-form-urlencoded'],
    'content' => http_build_query(['topic' => [$topic], 'event' => $event, 'data' => $data]),
    'ignore_errors' => true,
    'timeout' => 5,
]]));
echo $answer;
