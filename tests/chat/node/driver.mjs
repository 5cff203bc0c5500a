// Mounts the real useChat of one version and does with it what lines on standard input say; what happens is told on
// standard output, one JSON object a line. Cookies, Origin and Sec-Fetch-Site are sent as a browser on that site would.
//
//   node driver.mjs VERSION {"site", "cookie", "id", "messages", "resume", "single"}
//
// in:  {"n", "do": "send" | "edit" | "regenerate" | "stop" | "resume" | "set" | "clear",
//       "text", "messageId", "messages"}
// out: {"event": "state", "id", "status", "error", "messages"}     after each rendering
//      {"event": "request" | "response" | "finish" | "error", ...}
//      {"event": "done", "n", "thrown"}                            once what was asked for has ended and is rendered
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [version, given] = process.argv.slice(2);
const options = JSON.parse(given);
const site = new URL(options.site);
const cookies = new Map((options.cookie || "").split("; ").filter(Boolean).map(pair => pair.split(/=(.*)/s)));

const tell = (event, rest) => void process.stdout.write(JSON.stringify({ event, ...rest }) + "\n");

// What a package imports under this name: each version of the hook has an "ai" of its own.
async function load(name, from) {
	const file = findPackageJSON(name, pathToFileURL(join(from, "package.json")));
	const main = JSON.parse(readFileSync(file)).exports["."];
	return import(pathToFileURL(join(dirname(file), main.import ?? main.default ?? main)));
}

const modules = join(import.meta.dirname, "node_modules");
const hookDirectory = join(modules, "react" + version);
const { DefaultChatTransport } = await load("ai", hookDirectory);
const { useChat } = await load("react" + version, import.meta.dirname);
const React = (await import("react")).default;
const { create } = (await import("react-test-renderer")).default;

async function browserFetch(input, init = {}) {
	const headers = new Headers(init.headers);
	const url = new URL(input, site);
	headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
	headers.set("sec-fetch-site", "same-origin");
	if ((init.method ?? "GET") !== "GET")
		headers.set("origin", site.origin);
	tell("request", { method: init.method ?? "GET", path: url.pathname, headers: Object.fromEntries(headers),
		body: init.body ? JSON.parse(init.body) : null });
	const response = await fetch(url, { ...init, headers });
	for (const line of response.headers.getSetCookie()) {
		const [, name, value] = /^([^=]*)=([^;]*)/.exec(line);
		cookies.set(name, value);
	}
	tell("response", { status: response.status, headers: Object.fromEntries(response.headers) });
	return response;
}

const onlyLast = ({ id, messages, trigger, messageId }) =>
	({ body: { id, message: messages.at(-1), trigger, messageId } });
const transport = new DefaultChatTransport({
	api: new URL("/api/chat", site).href,
	fetch: browserFetch,
	...(options.single ? { prepareSendMessagesRequest: onlyLast } : {}),
});

let chat, render;
const ended = [];		// what was asked for and has ended, and is told once that is rendered
function Page() {
	render = React.useReducer(n => n + 1, 0)[1];
	chat = useChat({
		...(options.id ? { id: options.id } : {}),
		...(options.messages ? { messages: options.messages } : {}),
		resume: options.resume ?? false,
		transport,
		onFinish: ({ message, isAbort, isDisconnect, isError, finishReason }) =>
			tell("finish", { message, isAbort, isDisconnect, isError, finishReason }),
		onError: error => tell("error", { message: error.message, name: error.name }),
	});
	const { id, status, error, messages } = chat;
	React.useEffect(() => {
		tell("state", { id, status, messages, error: error
			? { message: error.message, name: error.name, statusCode: error.statusCode ?? null } : null });
		for (const what of ended.splice(0))
			tell("done", what);
	});
	return null;
}

const acts = {
	send: ({ text }) => chat.sendMessage({ text }),
	edit: ({ text, messageId }) => chat.sendMessage({ text, messageId }),
	regenerate: ({ messageId }) => chat.regenerate(messageId ? { messageId } : undefined),
	stop: () => chat.stop(),
	resume: () => chat.resumeStream(),
	set: ({ messages }) => chat.setMessages(messages),
	clear: () => chat.clearError(),
};

console.log = console.info = console.error;		// standard output is for what is told
create(React.createElement(Page));
process.on("unhandledRejection", reason => tell("error", { message: String(reason), name: "unhandled" }));

for await (const line of createInterface({ input: process.stdin })) {
	const asked = JSON.parse(line);
	Promise.resolve().then(() => acts[asked.do](asked)).then(() => null, String).then(thrown => {
		ended.push({ n: asked.n, thrown });
		render();
	});
}
process.exit(0);
