<?php
/*
 * Makes the database, once: TASKLIST_DB=/path/to/tasks.db php-cgi -q setup.php
 */
declare(strict_types=1);
require __DIR__ . '/lib/db.php';

if (PHP_SAPI !== 'cli' && isset($_SERVER['REQUEST_METHOD'])) {
    http_response_code(404); // never by the web
    exit;
}

$users = ['ann', 'bob']; // the password is the name
$lists = [
    ['Weekend trip', 'ann', ['ann', 'bob'], ['Book the cabin', 'Check the tyres', 'Pack the tent']],
    ['Groceries', 'bob', ['ann', 'bob'], ['Coffee', 'Olive oil', 'Something green']],
    ['Ann’s own list', 'ann', ['ann'], ['Plan Bob’s birthday']],
    ['Bob’s own list', 'bob', ['bob'], ['Practise the ukulele']],
];

db()->exec('PRAGMA journal_mode = WAL'); // readers and the writer do not wait for each other
in_transaction(function (PDO $db) use ($users, $lists): void {
    $db->exec(file_get_contents(__DIR__ . '/schema.sql'));
    foreach ($users as $name) {
        query('INSERT INTO users (name, password_hash) VALUES (?, ?)', [$name, password_hash($name, PASSWORD_DEFAULT)]);
    }
    foreach ($lists as [$title, $owner, $members, $tasks]) {
        query('INSERT INTO lists (title, owner) VALUES (?, ?)', [$title, $owner]);
        $list = $db->lastInsertId();
        foreach ($members as $member) {
            query('INSERT INTO members (list, user) VALUES (?, ?)', [$list, $member]);
        }
        foreach ($tasks as $task) {
            query('INSERT INTO tasks (list, title) VALUES (?, ?)', [$list, $task]);
        }
    }
});
