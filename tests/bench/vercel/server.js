// The image of workers/og/canvas.c by @vercel/og, for one request after another: node server.js PORT FONT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { ImageResponse } from "@vercel/og";

const [port, font] = process.argv.slice(2);
const fonts = [{ name: "Noto Sans", data: readFileSync(font), weight: 700, style: "normal" }];
const box = (style, ...children) => ({ type: "div", props: { style: { display: "flex", ...style }, children } });

function picture(heading, type) {
	const bar = { position: "absolute", left: 0, bottom: 0, width: 1200, height: 12, background: "#2f5bea" };
	const row = { width: "100%", justifyContent: "space-between", fontSize: 34 };
	return box({ width: 1200, height: 630, padding: 80, flexDirection: "column", justifyContent: "space-between",
		background: "#f6f7f9", color: "#16202c", fontFamily: "Noto Sans" },
	box({ alignItems: "center", fontSize: 40 },
		box({ width: 72, height: 72, borderRadius: 18, marginRight: 24, background: "#2f5bea" }), "Tollgate"),
	box({ fontSize: heading.length > 80 ? 48 : 72 }, heading),
	box(row, box({ color: "#2f5bea" }, type), box({ color: "#546274" }, "app.example.com")), box(bar));
}

createServer(async (request, response) => {
	const asked = new URL(request.url, "http://localhost").searchParams;
	const drawn = new ImageResponse(picture(asked.get("heading"), asked.get("type")), { width: 1200, height: 630, fonts });
	const bytes = Buffer.from(await drawn.arrayBuffer());
	response.writeHead(200, { "Content-Type": "image/png", "Content-Length": bytes.length });
	response.end(bytes);
}).listen(Number(port), "127.0.0.1");
