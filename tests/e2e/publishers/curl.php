<?php
// PHP with its curl extension: php curl.php URL TOKEN TOPIC EVENT DATA
[, $url, $token, $topic, $event, $data] = $argv;
$curl = curl_init($url);
curl_setopt_array($curl, [
    CURLOPT_POSTFIELDS => json_encode(['topic' => $topic, 'event' => $event, 'data' => $data]),
    CURLOPT_HTTPHEADER => ["Authorization: Bearer $token", 'Content-Type: application/json'],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 5,
]);
echo curl_exec($curl);
