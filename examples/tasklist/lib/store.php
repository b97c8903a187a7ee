<?php
/*
 * Lists and tasks: who may see what, and every change to them. A change tells
 * the other windows once it is committed, never before: who hears of it may
 * fetch at once, and must find it.
 */
declare(strict_types=1);
require_once __DIR__ . '/db.php';
require_once __DIR__ . '/publish.php';

function list_topic(int $list): string
{
    return "list:$list";
}

/* Where a user hears that lists appeared or went away. */
function user_topic(string $user): string
{
    return "user:$user";
}

function may_see(string $user, int $list): bool
{
    return (bool) query('SELECT 1 FROM members WHERE list = ? AND user = ?', [$list, $user])->fetchColumn();
}

/* The shared lists first, then one's own. */
function lists_of(string $user): array
{
    $ids = query(
        'SELECT id FROM lists JOIN members ON list = id WHERE user = ?
         ORDER BY (SELECT count(*) FROM members m WHERE m.list = id) = 1, id',
        [$user]
    )->fetchAll(PDO::FETCH_COLUMN);
    return array_values(array_filter(array_map(fn ($id) => find_list($user, (int) $id), $ids)));
}

function find_list(string $user, int $id): ?array
{
    if (!may_see($user, $id)) {
        return null;
    }
    // the version before the tasks: a change in between makes this answer look old, never new
    $list = query('SELECT id, title, owner, version FROM lists WHERE id = ?', [$id])->fetch();
    if (!$list) {
        return null;
    }
    $list['members'] = query('SELECT user FROM members WHERE list = ? ORDER BY user', [$id])->fetchAll(PDO::FETCH_COLUMN);
    $list['tasks'] = array_map(
        fn ($task) => ['done' => (bool) $task['done']] + $task,
        query('SELECT id, title, done FROM tasks WHERE list = ? ORDER BY id', [$id])->fetchAll()
    );
    return $list;
}

/* Each of the following three returns the list as it is now, or null where it is not the user's to change. */

function add_task(string $user, int $list, string $title): ?array
{
    return change_list($user, $list, function (PDO $db) use ($list, $title): int {
        query('INSERT INTO tasks (list, title) VALUES (?, ?)', [$list, $title]);
        return (int) $db->lastInsertId();
    });
}

/* $changes holds title, done or both. */
function change_task(string $user, int $task, array $changes): ?array
{
    return change_list($user, list_of_task($task), function () use ($task, $changes): int {
        foreach ($changes as $column => $value) {
            $column = ['title' => 'title', 'done' => 'done'][$column];
            query("UPDATE tasks SET $column = ? WHERE id = ?", [is_bool($value) ? (int) $value : $value, $task]);
        }
        return $task;
    });
}

function delete_task(string $user, int $task): ?array
{
    return change_list($user, list_of_task($task), function () use ($task): int {
        query('DELETE FROM tasks WHERE id = ?', [$task]);
        return $task;
    });
}

function list_of_task(int $task): int
{
    return (int) query('SELECT list FROM tasks WHERE id = ?', [$task])->fetchColumn(); // 0: no such task, no such list
}

function change_list(string $user, int $list, callable $change): ?array
{
    $task = in_transaction(function (PDO $db) use ($user, $list, $change): ?int {
        if (!may_see($user, $list)) {
            return null;
        }
        $task = $change($db);
        query('UPDATE lists SET version = version + 1 WHERE id = ?', [$list]);
        return $task;
    });
    if ($task === null) {
        return null;
    }
    publish([list_topic($list)], 'task_changed', ['list' => $list, 'task' => $task]);
    return find_list($user, $list);
}

function create_list(string $user, string $title, bool $shared): int
{
    [$list, $members] = in_transaction(function (PDO $db) use ($user, $title, $shared): array {
        query('INSERT INTO lists (title, owner) VALUES (?, ?)', [$title, $user]);
        $list = (int) $db->lastInsertId();
        $members = $shared ? query('SELECT name FROM users')->fetchAll(PDO::FETCH_COLUMN) : [$user];
        foreach ($members as $member) {
            query('INSERT INTO members (list, user) VALUES (?, ?)', [$list, $member]);
        }
        return [$list, $members];
    });
    publish(array_map(user_topic(...), $members), 'lists_changed', ['list' => $list]);
    return $list;
}

/* Only its owner deletes a list. Returns whether it is gone. */
function delete_list(string $user, int $list): bool
{
    $members = in_transaction(function () use ($user, $list): array {
        $members = query('SELECT user FROM members WHERE list = ?', [$list])->fetchAll(PDO::FETCH_COLUMN);
        $deleted = query('DELETE FROM lists WHERE id = ? AND owner = ?', [$list, $user])->rowCount();
        return $deleted ? $members : [];
    });
    if ($members) {
        publish(array_map(user_topic(...), $members), 'lists_changed', ['list' => $list]);
    }
    return (bool) $members;
}
