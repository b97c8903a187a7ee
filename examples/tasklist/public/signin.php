<?php
/*
 * The way in: a form with user and password.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';
require __DIR__ . '/../lib/db.php';

/* Takes as long for a user that does not exist as for a wrong password. */
function is_password_of(string $user, string $password): bool
{
    $hash = query('SELECT password_hash FROM users WHERE name = ?', [$user])->fetchColumn();
    $nobody = '$2y$10$oH737y1JEcOGendAaGlIZe794ZyZJziJ4Ywl7F1lwMW1koNSbUGxK'; // of random bytes
    return password_verify($password, $hash ?: $nobody) && $hash !== false;
}

$user = '';
$problem = '';
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    require_same_origin();
    $user = is_string($_POST['user'] ?? null) ? trim($_POST['user']) : '';
    $password = is_string($_POST['password'] ?? null) ? $_POST['password'] : '';
    if (is_password_of($user, $password)) {
        sign_in($user);
        redirect('./');
    }
    http_response_code(422);
    $problem = 'This name and password do not belong together.';
} elseif (signed_in_user() !== null) {
    redirect('./');
}

send_security_headers();
header('Cache-Control: no-store');
?>
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in – Tasks</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
</head>
<body class="signin">
<main>
    <form method="post" action="signin.php">
        <h1>Tasks</h1>
<?php if ($problem !== '') { ?>
        <p class="notice" role="alert"><?= html($problem) ?></p>
<?php } ?>
        <label for="user">Name</label>
        <input id="user" name="user" type="text" value="<?= html($user) ?>" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required>
        <button>Sign in</button>
        <p class="hint">Try <b>ann</b> in one window and <b>bob</b> in a private one; the password is the name.</p>
    </form>
</main>
</body>
</html>
