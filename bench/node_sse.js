/* node_sse: a small Server-Sent Events server for Node as one would write it: the http module, one
 * subscribed connection to Redis, a Set of responses for each topic.
 *
 *   node node_sse.js PORT REDIS_SOCKET */
'use strict';
const http = require('http');
const net = require('net');

const [port, path] = process.argv.slice(2);
const topics = new Map();

/* ---- Redis: only what SUBSCRIBE answers, arrays of bulk strings and integers ---- */

const redis = net.connect(path);
let rest = Buffer.alloc(0);

function subscribe(topic) {
	redis.write(`*2\r\n$9\r\nSUBSCRIBE\r\n$${Buffer.byteLength(topic)}\r\n${topic}\r\n`);
}

/* One reply from `at` on: [value, where it ends], or null while it is not whole. */
function parse(bytes, at) {
	const end = bytes.indexOf('\r\n', at);
	if (end < 0)
		return null;
	const number = Number(bytes.toString('latin1', at + 1, end));
	const kind = String.fromCharCode(bytes[at]);
	at = end + 2;
	if (kind === ':')
		return [number, at];
	if (kind === '$')
		return bytes.length < at + number + 2 ? null : [bytes.toString('utf8', at, at + number), at + number + 2];
	if (kind !== '*')
		throw new Error(bytes.toString('latin1', 0, end));
	const values = [];
	for (let i = 0; i < number; i++) {
		const one = parse(bytes, at);
		if (!one)
			return null;
		values.push(one[0]);
		at = one[1];
	}
	return [values, at];
}

redis.on('data', (chunk) => {
	rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
	let at = 0, one;
	while (at < rest.length && (one = parse(rest, at))) {
		at = one[1];
		if (one[0][0] === 'message')
			deliver(one[0][1], one[0][2]);
	}
	rest = rest.subarray(at);
});

function deliver(topic, text) {
	const message = JSON.parse(text);
	const data = typeof message.data === 'string' ? message.data : JSON.stringify(message.data);
	const frame = `event: ${message.event}\ndata: ${data.replace(/\n/g, '\ndata: ')}\n\n`;
	for (const response of topics.get(topic) || [])
		response.write(frame);
}

/* ---- streams ---- */

function join(topic, response) {
	let all = topics.get(topic);
	if (!all) {
		topics.set(topic, all = new Set());
		subscribe(topic);
	}
	all.add(response);
	response.on('close', () => all.delete(response));
}

const server = http.createServer((request, response) => {
	const names = new URL(request.url, 'http://x').searchParams.get('topic');
	if (!names) {
		response.writeHead(request.url === '/health' ? 200 : 400).end();
		return;
	}
	response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache'});
	response.write(':\n\n');
	for (const name of names.split(','))
		join(name, response);
});
server.keepAliveTimeout = 0;
server.listen({port: Number(port), host: '127.0.0.1', backlog: 4096});
