<?php
/*
 * What every page sends and checks.
 */
declare(strict_types=1);

/* Nothing but this site's own files may run, load, frame or be sent to. */
function send_security_headers(): void
{
    header("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        . "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    header('X-Content-Type-Options: nosniff');
    header('Referrer-Policy: same-origin'); // no-referrer would turn the Origin of our own forms into null
}

/*
 * Ends a request that another site's page made this browser send. Browsers put
 * the Origin on everything but GET; a program that sends none holds no cookie
 * of anybody. SameSite on the cookie is the second bolt on this door.
 */
function require_same_origin(): void
{
    $origin = $_SERVER['HTTP_ORIGIN'] ?? null;
    if ($origin !== null && preg_replace('~^https?://~', '', $origin) !== ($_SERVER['HTTP_HOST'] ?? '')) {
        send_json(403, ['detail' => 'This request came from another site']);
    }
}

function send_json(int $status, array $answer): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('X-Content-Type-Options: nosniff');
    echo json_encode(
        $answer,
        JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR
    );
    exit;
}

function redirect(string $where): never
{
    header("Location: $where", true, 303);
    exit;
}

function html(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}
