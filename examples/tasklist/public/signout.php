<?php
/*
 * The way out. A link could be followed by accident; only a form's POST counts.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    require_same_origin();
    sign_out();
}
redirect('signin.php');
