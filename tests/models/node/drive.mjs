// The makers' own clients ask the stand-in, as lines on standard input say; each answer is a line of JSON.
//
//   node drive.mjs URL        {"api": "chat" | "responses" | "messages", "name", "key", "body"} or "stop": 2 (deltas)
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { createInterface } from "node:readline";

const url = process.argv[2];

const clients = {
	chat: ({ name, key }) => new OpenAI({ apiKey: key, baseURL: `${url}/${name}/v1`, maxRetries: 0 }),
	messages: ({ name, key }) => new Anthropic({ apiKey: key, baseURL: `${url}/${name}`, maxRetries: 0 }),
};
clients.responses = clients.chat;

const streams = {
	chat: (client, body) => client.chat.completions.stream(body),
	responses: (client, body) => client.responses.stream(body),
	messages: (client, body) => client.messages.stream(body),
};

const wholes = {
	chat: (client, body) => client.chat.completions.create(body),
	responses: (client, body) => client.responses.create(body),
	messages: (client, body) => client.messages.create(body),
};

const ends = {
	chat: stream => stream.finalChatCompletion(),
	responses: stream => stream.finalResponse(),
	messages: stream => stream.finalMessage(),
};

const isDelta = {
	chat: event => Boolean(event.choices[0]?.delta?.content),
	responses: event => event.type === "response.output_text.delta",
	messages: event => event.type === "content_block_delta",
};

const reads = {
	chat: ({ choices: [{ message, finish_reason }], usage }) => ({ text: message.content,
		refusal: message.refusal ?? null, finish: finish_reason, usage: usage ?? null }),
	responses: ({ output, status, incomplete_details, usage }) => ({
		text: output.flatMap(item => item.content).filter(part => part.type === "output_text")
			.map(part => part.text).join(""),
		refusal: output.flatMap(item => item.content).find(part => part.type === "refusal")?.refusal ?? null,
		finish: incomplete_details?.reason ?? status, usage: usage ?? null }),
	messages: ({ content, stop_reason, usage }) => ({ text: content.map(block => block.text).join(""),
		refusal: null, finish: stop_reason, usage: usage ?? null }),
};

async function stopAfter(api, stream, deltas) {
	for await (const event of stream) {
		if (isDelta[api](event) && --deltas === 0)
			break;
	}
	stream.controller.abort();
	return { stopped: true };
}

async function ask({ api, body, stop, ...who }) {
	const client = clients[api](who);
	if (!body.stream)
		return reads[api](await wholes[api](client, body));
	const stream = streams[api](client, body);
	return stop ? stopAfter(api, stream, stop) : reads[api](await ends[api](stream));
}

for await (const line of createInterface({ input: process.stdin })) {
	const said = await ask(JSON.parse(line)).catch(error => ({
		error: error.constructor.name, message: error.message, status: error.status ?? null,
		code: error.code ?? null, type: error.type ?? null, id: error.requestID ?? null }));
	console.log(JSON.stringify(said));
}
