/* Sends a message and shows the answer while it is written. Without it the form does the same, and loads a page. */
"use strict";

const [chat, form, log, talk, refused, stop, send] =
	["chat", "ask", "log", "talk", "refused", "stop", "send"].map(id => document.getElementById(id));
const field = form.elements.text;
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const figure = new Intl.NumberFormat(document.documentElement.lang);
let running = null, failed = null;

/* The name of a message: sent again, it is the same one. */
const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => letters[byte % 62]).join("");

/* Shows what has that state, below root, and hides the others. */
const show = (root, state) => root.querySelectorAll("[data-when]").forEach(part => {
	part.hidden = !part.dataset.when.split(" ").includes(state);
});

const nearEnd = () => log.getBoundingClientRect().bottom < innerHeight;
const follow = near => near && log.scrollIntoView({ block: "end" });

/* A message, as the page has them. */
function add(kind, text) {
	const item = document.getElementById(kind).content.firstElementChild.cloneNode(true);
	item.querySelector(".said").textContent = text;
	talk.append(item);
	document.getElementById("empty")?.remove();
	return item;
}

/* The parts of an answer as they come, one JSON document in each event. */
async function* parts(body) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let waiting = "";
	for (let chunk; !(chunk = await reader.read()).done;) {
		const events = (waiting + chunk.value).split(/\r?\n\r?\n/);
		waiting = events.pop();
		for (const event of events) {
			const data = event.split(/\r?\n/).filter(line => line.startsWith("data:")).map(line => line.slice(5).trimStart());
			if (data.length && data[0] !== "[DONE]")
				yield JSON.parse(data.join("\n"));
		}
	}
}

/* What a refusal says, whether it came as a status or as a part. */
function reason(text) {
	try {
		return JSON.parse(text).code || "unavailable";
	} catch {
		return "unavailable";
	}
}

/* Takes title, heading, list of conversations and what can be done with this one from the page of a reload. */
async function list() {
	const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
	const [heading, chats, more] = [".heading", "#chats", "#more"].map(part => page.querySelector(part));
	if (!heading || !chats || !more)	/* another page, as that of who has signed out meanwhile */
		return;
	document.title = page.title;
	chat.querySelector(".heading").replaceWith(heading);
	chat.querySelector("#chats").replaceWith(chats);
	chat.querySelector("#more")?.remove();		/* a refused form has it */
	chat.querySelector(".talking").append(more);
}

/* A new conversation has an address and a name of its own once it has a message: a reload shows both. */
function settle(id, text) {
	const path = `${chat.dataset.prefix}/chat/${id}`;
	if (location.pathname !== path) {
		history.replaceState(null, "", path);
		document.getElementById("title").textContent = text.slice(0, 60);
		list().catch(() => {});		/* without an answer the page stays as it is */
	}
	form.elements.model?.closest(".field")?.remove();
}

function remaining(left) {
	const shown = document.getElementById("left");
	if (shown && Number.isFinite(left))
		shown.textContent = figure.format(Math.max(left, 0));
}

/* How the answer ended: "stop", "length" and the like, or why there is no more of it. */
async function answer(item, request) {
	const said = item.querySelector(".said");
	const response = await fetch("/api/chat", {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request), signal: running.signal,
	});
	if (!response.ok)
		return reason(await response.text());
	settle(request.id, request.message.parts[0].text);
	for await (const part of parts(response.body)) {
		const near = nearEnd();
		if (part.type === "text-delta") {
			show(item, "writing");
			said.append(part.delta);
			follow(near);
		} else if (part.type === "finish") {
			remaining(part.messageMetadata?.left);
			return part.finishReason || "stop";
		} else if (part.type === "error") {
			return reason(part.errorText);
		}
	}
	return "interrupted";		/* a stream that merely ends is no answer */
}

function busy(is) {
	stop.hidden = !is;
	send.hidden = is;
	log.setAttribute("aria-busy", is);		/* read out once it is whole */
}

async function ask(text) {
	const item = (add("mine", text), add("theirs", ""));
	form.elements.message.value = failed?.text === text ? failed.id : fresh();
	const request = { id: form.elements.chat.value, tenant: form.elements.tenant.value, trigger: "submit-message",
		message: { id: form.elements.message.value, role: "user", parts: [{ type: "text", text }] } };
	if (form.elements.model)
		request.model = form.elements.model.value;
	running = new AbortController();
	show(refused, "");
	show(item, "pending");
	busy(true);
	follow(true);
	let state;
	try {
		state = await answer(item, request);
	} catch (error) {
		state = error.name === "AbortError" ? "stopped" : item.querySelector(".said").textContent ? "interrupted" : "offline";
	}
	running = null;
	busy(false);
	finish(item, text, state);
}

/* What was refused before a word came is not part of the conversation, and stands in the field again. */
function finish(item, text, state) {
	const nothing = !item.querySelector(".said").textContent && !["stop", "stopped", "length"].includes(state);
	failed = nothing ? { id: form.elements.message.value, text } : null;		/* sent again, it is the same message */
	if (nothing) {
		item.previousElementSibling.remove();
		item.remove();
		field.value = field.value || text;
	}
	show(nothing ? refused : item, state);
	follow(true);
	field.focus();
}

form.addEventListener("submit", event => {
	event.preventDefault();
	const text = field.value.trim();
	if (text && !running) {
		field.value = "";
		ask(text);
	}
});
field.addEventListener("keydown", event => {
	if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
		event.preventDefault();
		form.requestSubmit();
	}
});
addEventListener("keydown", event => event.key === "Escape" && running?.abort());
stop.addEventListener("click", () => running?.abort());
document.getElementById("keys").hidden = false;
follow(talk.children.length > 0 && !location.hash);
