<?php
/*
 * Who is signed in: an ordinary PHP session that holds the user's name.
 */
declare(strict_types=1);

const SESSION_COOKIE = 'tasklist';

function start_session(array $more = []): void
{
    session_start($more + [
        'name' => SESSION_COOKIE,
        'use_strict_mode' => true,
        'cookie_httponly' => true,
        'cookie_samesite' => 'Lax',
        'cookie_secure' => !empty($_SERVER['HTTPS']) && $_SERVER['HTTPS'] !== 'off',
    ]);
}

/* The user's name, or null. A visitor without a cookie gets no session. */
function signed_in_user(): ?string
{
    if (!isset($_COOKIE[SESSION_COOKIE])) {
        return null;
    }
    start_session();
    session_write_close(); // gives the lock back: the requests of one browser need not queue
    return $_SESSION['user'] ?? null;
}

function sign_in(string $user): void
{
    start_session();
    session_regenerate_id(true); // an id that was planted before is worth nothing now
    $_SESSION = ['user' => $user];
    session_write_close();
}

/* Returns who it was, or null. */
function sign_out(): ?string
{
    if (!isset($_COOKIE[SESSION_COOKIE])) {
        return null;
    }
    start_session();
    $user = $_SESSION['user'] ?? null;
    $_SESSION = [];
    session_destroy();
    setcookie(SESSION_COOKIE, '', ['expires' => 1, 'path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
    return $user;
}
