/*
 * The page follows its lists by "notify, then fetch": the stream says which
 * list has changed, and what it holds now is fetched from the API, where the
 * rights are checked as for every other request. Nothing is taken from the
 * stream itself, so an event that comes twice or late does no harm.
 */
'use strict';

const EVENTS_URL = '/events';
const SILENCE_MS = 25000; // two heartbeats and a half; after that the stream counts as broken

const user = document.querySelector('#lists').dataset.user;
const views = new Map(); // list id → { element, version, rows: task id → element }

/* ---- talking to the API ---- */

async function call(method, path, body) {
    const response = await fetch(`api.php${path}`, {
        method,
        headers: { 'X-User': user, ...(body && { 'Content-Type': 'application/json' }) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(15000),
    });
    if (response.status === 401 || response.status === 409) {
        location.reload(); // nobody, or somebody else, is signed in now
        return new Promise(() => {}); // this page is about to go
    }
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) {
        const detail = answer?.detail ?? `the server answered ${response.status}`;
        throw Object.assign(new Error(detail), { status: response.status });
    }
    return answer;
}

/* Runs what the user asked for. Where it fails it says so, and lets the page show the truth again. */
async function attempt(work) {
    try {
        await work();
        notify('');
        return true;
    } catch (error) {
        notify(`That did not work: ${error.message}`);
        views.forEach((view) => { view.version = 0; });
        refresh('all');
        return false;
    }
}

const stale = new Set(); // list ids, or 'all'
let refreshing = false;

/* Fetches what has changed. One round at a time: news that come meanwhile make one more round, not one each. */
async function refresh(what) {
    stale.add(what);
    if (refreshing) {
        return;
    }
    refreshing = true;
    while (stale.size > 0) {
        const now = [...stale];
        stale.clear();
        try {
            if (now.includes('all')) {
                showAll(await call('GET', '/lists'));
            } else {
                (await Promise.all(now.map((id) => call('GET', `/lists/${id}`)))).forEach(showList);
            }
        } catch (error) {
            // a list that is gone shows in the next look at everything; the rest may pass by itself
            if (error.status !== 404) {
                await new Promise((resolve) => setTimeout(resolve, 3000));
            }
            stale.add('all');
        }
    }
    refreshing = false;
}

/* ---- the stream ---- */

let source = null;
let following = '';
let heardAt = 0;
let comeBack = 0;

function follow(topics) {
    const wanted = topics.join(',');
    if (wanted !== following) {
        following = wanted;
        connect();
    }
}

function connect() {
    clearTimeout(comeBack);
    source?.close();
    source = new EventSource(`${EVENTS_URL}?topic=${following}`);
    heardAt = Date.now();

    const on = (name, react) => source.addEventListener(name, (event) => {
        heardAt = Date.now();
        react(event);
    });
    on('sse.open', () => {
        setLive(true);
        refresh('all'); // whatever happened before this moment
    });
    on('task_changed', (event) => {
        const news = JSON.parse(event.data);
        changed.add(news.task);
        refresh(news.list);
    });
    on('lists_changed', () => refresh('all'));
    on('sse.reset', () => refresh('all')); // events were lost
    on('sse.revoked', () => refresh('all')); // a list is no longer ours, or nobody is signed in any more
    on('ping', () => {});
    // the server is full, or about to go: EventSource comes back by itself
    on('sse.busy', () => setLive(false));
    on('sse.bye', () => setLive(false));
    source.onerror = () => {
        setLive(false);
        if (source.readyState === EventSource.CLOSED) {
            comeBack = setTimeout(lookAgain, 5000 * (1 + Math.random())); // refused: it would never come back
        }
    };
}

/* After a refusal: the API knows whether to sign in again, or what else there is to follow. */
async function lookAgain() {
    await refresh('all');
    if (source.readyState === EventSource.CLOSED) {
        connect();
    }
}

/* A link may die without a word, behind a sleeping laptop or a lost network; the heartbeats tell. */
setInterval(() => {
    if (source && source.readyState !== EventSource.CLOSED && Date.now() - heardAt > SILENCE_MS) {
        setLive(false);
        connect();
    }
}, 2500);

addEventListener('online', () => source && connect());

function setLive(live) {
    const state = document.querySelector('#state');
    const text = live ? 'Live' : 'Reconnecting …';
    document.body.dataset.live = live ? 'live' : 'reconnecting';
    if (state.textContent !== text) { // a screen reader reads it out each time it is set
        state.textContent = text;
    }
}

function notify(text) {
    const notice = document.querySelector('#notice');
    notice.textContent = text;
    notice.hidden = text === '';
}

/* ---- showing ----
 * Elements stay as long as what they show: an answer changes them in place, so
 * focus, selection and a half-typed name survive everything that others do.
 */

const changed = new Set(); // tasks that somebody changed, to be lit up once

function copyOf(template) {
    return document.querySelector(template).content.firstElementChild.cloneNode(true);
}

function setText(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

/* Puts the wanted elements into the parent in this order, and takes away the others. */
function arrange(parent, wanted) {
    for (const child of [...parent.children]) {
        if (!wanted.includes(child)) {
            child.remove();
        }
    }
    wanted.forEach((element, at) => {
        if (parent.children[at] !== element) {
            parent.insertBefore(element, parent.children[at] ?? null);
        }
    });
}

function showAll(answer) {
    const wanted = new Set(answer.lists.map((list) => list.id));
    for (const id of [...views.keys()]) {
        if (!wanted.has(id)) {
            views.delete(id);
        }
    }
    answer.lists.forEach(showList);
    arrange(document.querySelector('#lists'), answer.lists.map((list) => views.get(list.id).element));
    follow(answer.topics);
}

function showList(list) {
    let view = views.get(list.id);
    if (!view) {
        view = newListView(list);
        views.set(list.id, view);
    }
    const news = new Set(list.tasks.map((task) => task.id).filter((id) => changed.delete(id)));
    if (list.version <= view.version) {
        return; // nothing new, or an answer that was overtaken by a newer one
    }
    const isFirst = view.version === 0;
    view.version = list.version;

    const others = list.members.filter((name) => name !== user);
    const done = list.tasks.filter((task) => task.done).length;
    const sharing = others.length > 0 ? `Shared with ${others.join(', ')}` : 'Only you see this';
    setText(view.element.querySelector('h2'), list.title);
    setText(view.element.querySelector('.about'), `${sharing} · ${done} of ${list.tasks.length} done`);
    view.element.querySelector('.empty').hidden = list.tasks.length > 0;

    const rows = list.tasks.map((task) => {
        const row = view.rows.get(task.id) ?? newTaskRow(task.id);
        showTask(row, task);
        if (news.has(task.id) && !isFirst) {
            lightUp(row);
        }
        return [task.id, row];
    });
    view.rows = new Map(rows);
    arrange(view.element.querySelector('ul'), rows.map(([, row]) => row));
}

function newListView(list) {
    const element = copyOf('#list-template');
    const heading = element.querySelector('h2');
    const add = element.querySelector('form.add');
    const remove = element.querySelector('.delete-list');

    element.dataset.list = list.id;
    heading.id = `list-${list.id}`;
    element.setAttribute('aria-labelledby', heading.id);
    element.querySelector('ul').setAttribute('aria-labelledby', heading.id);
    add.elements.title.setAttribute('aria-label', `Add a task to ${list.title}`);
    add.addEventListener('submit', async (event) => {
        event.preventDefault();
        const title = add.elements.title.value;
        add.reset(); // ready for the next one at once
        const added = await attempt(async () => showList(await call('POST', `/lists/${list.id}/tasks`, { title })));
        if (!added && add.elements.title.value === '') {
            add.elements.title.value = title;
        }
    });
    remove.hidden = list.owner !== user;
    remove.setAttribute('aria-label', `Delete list ${list.title}`);
    remove.addEventListener('click', () => {
        if (confirm(`Delete “${list.title}” and all its tasks?`)) {
            attempt(async () => showAll(await call('DELETE', `/lists/${list.id}`)));
        }
    });
    return { element, version: 0, rows: new Map() };
}

function showTask(row, task) {
    const box = row.querySelector('input[type=checkbox]');
    setText(row.querySelector('.title'), task.title);
    box.checked = task.done;
    row.classList.toggle('done', task.done);
    row.querySelector('.rename').setAttribute('aria-label', `Rename ${task.title}`);
    row.querySelector('.delete').setAttribute('aria-label', `Delete ${task.title}`);
}

function newTaskRow(id) {
    const row = copyOf('#task-template');
    const edit = row.querySelector('form.edit');
    const rename = row.querySelector('.rename');
    const change = (changes) => attempt(async () => showList(await call('PATCH', `/tasks/${id}`, changes)));
    const editing = (on) => {
        row.classList.toggle('editing', on);
        edit.hidden = !on;
    };
    row.dataset.task = id;

    row.querySelector('input[type=checkbox]').addEventListener('change', (event) => {
        row.classList.toggle('done', event.target.checked);
        change({ done: event.target.checked });
    });
    rename.addEventListener('click', () => {
        edit.elements.title.value = row.querySelector('.title').textContent;
        editing(true);
        edit.elements.title.select();
    });
    const stop = () => {
        editing(false);
        rename.focus();
    };
    edit.addEventListener('submit', (event) => {
        event.preventDefault();
        const title = edit.elements.title.value;
        setText(row.querySelector('.title'), title);
        stop();
        change({ title });
    });
    edit.addEventListener('keydown', (event) => event.key === 'Escape' && stop());
    row.querySelector('.cancel').addEventListener('click', stop);

    row.querySelector('.delete').addEventListener('click', () => {
        // the focus goes on to the next task, or to the field for a new one
        const next = row.nextElementSibling?.querySelector('.delete');
        (next ?? row.closest('.list').querySelector('form.add input')).focus();
        attempt(async () => showList(await call('DELETE', `/tasks/${id}`)));
    });
    return row;
}

function lightUp(row) {
    row.classList.remove('changed');
    void row.offsetWidth; // so that the animation starts anew
    row.classList.add('changed');
}

/* ---- go ---- */

document.querySelector('#new-list').addEventListener('submit', (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = { title: form.elements.title.value, shared: form.elements.shared.checked };
    attempt(async () => {
        showAll(await call('POST', '/lists', body));
        form.reset();
    });
});

refresh('all');
