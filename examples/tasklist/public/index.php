<?php
/*
 * The page: an empty frame that app.js fills and keeps up to date.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';

$user = signed_in_user() ?? redirect('signin.php');
send_security_headers();
?>
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tasks</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
<script src="app.js" defer></script>
</head>
<body data-live="reconnecting">
<header class="bar">
    <h1>Tasks</h1>
    <p id="state" class="state" role="status">Connecting …</p>
    <form class="who" method="post" action="signout.php">
        <span><?= html(ucfirst($user)) ?></span>
        <button class="quiet">Sign out</button>
    </form>
</header>

<main>
    <p id="notice" class="notice" role="alert" hidden></p>
    <noscript><p class="notice">This page needs JavaScript.</p></noscript>
    <div id="lists" class="lists" data-user="<?= html($user) ?>"></div>

    <form id="new-list" class="new-list" autocomplete="off">
        <label for="new-list-title">A new list</label>
        <div class="row">
            <input id="new-list-title" name="title" type="text" maxlength="200" placeholder="Its name" required>
            <label class="check"><input name="shared" type="checkbox" checked> shared with everybody</label>
            <button>Create</button>
        </div>
    </form>
</main>

<template id="list-template">
    <section class="list">
        <header>
            <h2></h2>
            <p class="about"></p>
            <button class="quiet delete-list" type="button" hidden>Delete list</button>
        </header>
        <ul role="list"></ul>
        <p class="empty" hidden>Nothing to do.</p>
        <form class="add" autocomplete="off">
            <input name="title" type="text" maxlength="200" placeholder="Add a task" enterkeyhint="done" required>
            <button>Add</button>
        </form>
    </section>
</template>

<template id="task-template">
    <li class="task" role="listitem">
        <label class="check"><input type="checkbox"><span class="title"></span></label>
        <span class="actions">
            <button class="quiet rename" type="button">Rename</button>
            <button class="quiet delete" type="button">Delete</button>
        </span>
        <form class="edit" autocomplete="off" hidden>
            <input name="title" type="text" maxlength="200" aria-label="New name" enterkeyhint="done" required>
            <button>Save</button>
            <button class="quiet cancel" type="button">Cancel</button>
        </form>
    </li>
</template>
</body>
</html>
