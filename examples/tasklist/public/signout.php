<?php
/*
 * The way out. A link could be followed by accident; only a form's POST counts.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';
require __DIR__ . '/../lib/publish.php';

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    require_same_origin();
    $user = sign_out();
    if ($user !== null) {
        end_streams($user); // the windows that are still open
    }
}
redirect('signin.php');
