<?php
/*
 * What the page fetches and changes, as JSON:
 *   GET    /lists            everything, and the topics to follow
 *   POST   /lists            {"title":…, "shared":true|false}
 *   GET    /lists/1          one list
 *   DELETE /lists/1
 *   POST   /lists/1/tasks    {"title":…}
 *   PATCH  /tasks/7          {"title":…} or {"done":true|false}
 *   DELETE /tasks/7
 * A change answers with what it changed, as it is now. A list that is not
 * yours is one that does not exist: 404.
 */
declare(strict_types=1);
require __DIR__ . '/../lib/http.php';
require __DIR__ . '/../lib/session.php';
require __DIR__ . '/../lib/store.php';

const MAX_TITLE = 200;

function everything(string $user): array
{
    $lists = lists_of($user);
    $topics = array_map(fn ($list) => list_topic($list['id']), $lists);
    return ['topics' => [user_topic($user), ...$topics], 'lists' => $lists];
}

function body(): array
{
    $body = json_decode((string) file_get_contents('php://input'), true);
    return is_array($body) ? $body : send_json(400, ['detail' => 'The body must be a JSON object']);
}

/* One line of text: runs of blanks and line breaks become one blank. */
function title_in(array $body): string
{
    $title = is_string($body['title'] ?? null) ? $body['title'] : '';
    $title = trim((string) preg_replace('/[\p{Cc}\p{Z}]+/u', ' ', $title));
    return preg_match('/^.{1,' . MAX_TITLE . '}$/u', $title)
        ? $title
        : send_json(422, ['detail' => 'A name has 1 to ' . MAX_TITLE . ' characters']);
}

function changes_in(array $body): array
{
    $changes = [];
    if (isset($body['title'])) {
        $changes['title'] = title_in($body);
    }
    if (is_bool($body['done'] ?? null)) {
        $changes['done'] = $body['done'];
    }
    return $changes ?: send_json(422, ['detail' => 'Nothing to change']);
}

function answer(string $user, string $method, string $path): ?array
{
    if ($path === '/lists') {
        if ($method === 'POST') {
            $body = body();
            create_list($user, title_in($body), ($body['shared'] ?? false) === true);
        }
        return everything($user);
    }
    if (preg_match('~^/lists/([1-9][0-9]{0,17})$~D', $path, $match)) {
        $list = (int) $match[1];
        if ($method === 'DELETE') {
            return delete_list($user, $list) ? everything($user) : null;
        }
        return find_list($user, $list);
    }
    if (preg_match('~^/lists/([1-9][0-9]{0,17})/tasks$~D', $path, $match)) {
        return add_task($user, (int) $match[1], title_in(body()));
    }
    if (preg_match('~^/tasks/([1-9][0-9]{0,17})$~D', $path, $match)) {
        $task = (int) $match[1];
        return $method === 'DELETE' ? delete_task($user, $task) : change_task($user, $task, changes_in(body()));
    }
    return null;
}

/* Which methods a path knows; the rest is 405. */
function methods_of(string $path): array
{
    return match (true) {
        $path === '/lists' => ['GET', 'POST'],
        (bool) preg_match('~^/lists/\d+$~D', $path) => ['GET', 'DELETE'],
        (bool) preg_match('~^/lists/\d+/tasks$~D', $path) => ['POST'],
        (bool) preg_match('~^/tasks/\d+$~D', $path) => ['PATCH', 'DELETE'],
        default => [],
    };
}

$method = $_SERVER['REQUEST_METHOD'];
$path = $_SERVER['PATH_INFO'] ?? '';

if ($method !== 'GET') {
    require_same_origin();
}
$user = signed_in_user() ?? send_json(401, ['detail' => 'Sign in first']);
if (($_SERVER['HTTP_X_USER'] ?? $user) !== $user) {
    send_json(409, ['detail' => "This page was opened for somebody else than $user"]); // who signed in since, in another tab
}
$methods = methods_of($path) ?: send_json(404, ['detail' => 'There is nothing here']);
if (!in_array($method, $methods, true)) {
    header('Allow: ' . implode(', ', $methods));
    send_json(405, ['detail' => "$method is not for this"]);
}
send_json(200, answer($user, $method, $path) ?? send_json(404, ['detail' => 'It is not there, or not yours']));
