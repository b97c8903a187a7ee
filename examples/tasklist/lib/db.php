<?php
/*
 * The database: one SQLite file, named by the environment.
 */
declare(strict_types=1);

function db(): PDO
{
    static $db = null;
    if ($db === null) {
        $file = getenv('TASKLIST_DB') ?: throw new RuntimeException('TASKLIST_DB is not set');
        $db = new PDO("sqlite:$file", options: [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_TIMEOUT => 5, // seconds to wait for another writer
        ]);
        $db->exec('PRAGMA foreign_keys = ON');
    }
    return $db;
}

function query(string $sql, array $values = []): PDOStatement
{
    $statement = db()->prepare($sql);
    $statement->execute($values);
    return $statement;
}

/*
 * Runs the work between BEGIN and COMMIT. IMMEDIATE takes the write lock at
 * once, where SQLite waits for it; a later upgrade from reading would not wait.
 */
function in_transaction(callable $work): mixed
{
    $db = db();
    $db->exec('BEGIN IMMEDIATE');
    try {
        $result = $work($db);
        $db->exec('COMMIT');
        return $result;
    } catch (Throwable $error) {
        $db->exec('ROLLBACK');
        throw $error;
    }
}
