"""A small server that speaks the UI message stream, by which the driver of the clients is proven.

It answers POST /api/chat as the test has said: with a status and a body, or with a stream of pieces, each a part
(dictionary), raw text, seconds to wait (a number), an event of threading to wait for, or "close", which ends the
connection within the body. What was asked, and whether the client left, is in calls."""
import asyncio
import json
import threading

from aiohttp import web

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
           "X-Vercel-AI-UI-Message-Stream": "v1"}


def answer(*deltas, message="ours", finish="stop", metadata=None):
    """The parts of a whole answer."""
    end = {"type": "finish", "finishReason": finish}
    return [{"type": "start", "messageId": message}, {"type": "start-step"}, {"type": "text-start", "id": "t"},
            *({"type": "text-delta", "id": "t", "delta": d} for d in deltas), {"type": "text-end", "id": "t"},
            {"type": "finish-step"}, {**end, "messageMetadata": metadata} if metadata else end, "data: [DONE]\n\n"]


class Reference:
    def __init__(self):
        self.answers, self.calls, self.ready = [], [], threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)
        self.thread.start()
        self.ready.wait()

    async def run(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.serve)
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
        await site.start()
        self.url = "http://localhost:%d" % site._server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stop.wait()
        await runner.cleanup()

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()

    def will(self, *pieces, status=200, body=None, headers=None):
        """The next answer."""
        self.answers.append((status, body, {**HEADERS, **(headers or {})}, pieces))

    async def serve(self, request):
        text = await request.text()
        call = {"method": request.method, "path": request.path, "headers": dict(request.headers),
                "body": json.loads(text) if text else None, "left": False}
        self.calls.append(call)
        if request.method == "GET":
            return web.Response(status=204)
        status, body, headers, pieces = self.answers.pop(0)
        if body is not None:
            return web.json_response(body, status=status)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for piece in pieces:
            if not await self.put(request, response, piece):
                call["left"] = True
                break
        return response

    async def put(self, request, response, piece):
        """Whether the client is still there."""
        if piece == "close":
            await asyncio.sleep(0.1)
            request.transport.close()
            return True
        if isinstance(piece, threading.Event):
            while not piece.is_set() and request.transport is not None:
                await asyncio.sleep(0.01)
            return request.transport is not None
        if isinstance(piece, dict):
            piece = "data: %s\n\n" % json.dumps(piece, ensure_ascii=False)
        try:
            await response.write(piece if isinstance(piece, bytes) else piece.encode())
        except ConnectionError:
            return False
        return True
