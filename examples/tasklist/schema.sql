-- A list belongs to one user and is seen by its members. Its version grows with
-- every change, so that a page can tell an older answer from a newer one.
CREATE TABLE users (
	name          TEXT PRIMARY KEY,
	password_hash TEXT NOT NULL
);

CREATE TABLE lists (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: topics are named after it
	title   TEXT NOT NULL,
	owner   TEXT NOT NULL REFERENCES users (name),
	version INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE members (
	list INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
	user TEXT NOT NULL REFERENCES users (name),
	PRIMARY KEY (list, user)
);

CREATE TABLE tasks (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	list  INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
	title TEXT NOT NULL,
	done  INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX tasks_of_list ON tasks (list, id);
