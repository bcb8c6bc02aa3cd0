#!/usr/bin/env python3
"""A model that plays a script: the wire formats of Anthropic (messages), OpenAI (responses) and Gemini
(streamGenerateContent), streamed as the providers do, for real agents where no model can be reached.

Usage: model.py --script FILE [--port N] [--log FILE]

FILE is JSON: a list of steps, each {"tool": NAME, "input": {...}} or {"text": "..."}. The step that is played is the
number of tool results that a request carries, so that a request sent twice gets the same answer twice. A step that
names tools for several agents is {"tools": {NAME: INPUT, ...}}: the first that the request offers is called.
Requests that offer no tools (titles, routing) are answered with "ok", or the least value of the schema they ask for. Prints its port when it listens.
"""
import argparse
import http.server
import json
import sys


def chosen(step, offered):
    """The tool call of a step, or none: (name, input)."""
    for name, value in (step.get("tools") or ({step["tool"]: step.get("input", {})} if "tool" in step else {})).items():
        if name in offered:
            return name, value
    if "text" in step:
        return None
    raise LookupError(f"no tool of {step} among {sorted(offered)}")


def filled(schema):
    """The least value of a JSON schema."""
    kind = schema.get("type", "object").lower()
    if kind == "object":
        return {name: filled(property) for name, property in schema.get("properties", {}).items()}
    if "enum" in schema:
        return schema["enum"][0]
    return {"array": [], "boolean": False, "integer": 1, "number": 1}.get(kind, "ok")


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    steps = []
    log = None

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.plain(200, {})

    def do_GET(self):
        self.plain(200, {"data": [], "models": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.split("?")[0]
        if self.log:
            print(json.dumps({"path": self.path, "body": body}), file=self.log, flush=True)
        try:
            if path.endswith("/messages"):
                self.anthropic(body)
            elif path.endswith("/responses"):
                self.openai(body)
            elif ":streamGenerateContent" in path or ":generateContent" in path:
                self.gemini(body, "stream" in path)
            elif path.endswith("count_tokens"):
                self.plain(200, {"input_tokens": 1})
            else:
                self.plain(404, {"error": {"type": "not_found_error", "message": path}})
        except LookupError as error:
            self.plain(400, {"error": {"type": "invalid_request_error", "message": str(error)}})

    def step(self, results, offered, schema=None):
        if not offered:
            return {"text": "ok" if schema is None else json.dumps(filled(schema))}
        return self.steps[min(results, len(self.steps) - 1)]

    def plain(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for name, value in events:
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {json.dumps(value)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def anthropic(self, body):
        blocks = [b for m in body["messages"] if isinstance(m["content"], list) for b in m["content"]]
        results = sum(b.get("type") == "tool_result" for b in blocks)
        offered = {t["name"] for t in body.get("tools", []) if "name" in t}
        step = self.step(results, offered)
        call = chosen(step, offered)
        usage = {"input_tokens": 10, "output_tokens": 5}
        message = {"id": f"msg_{results}", "type": "message", "role": "assistant", "model": body["model"], "stop_reason": None,
                   "stop_sequence": None, "usage": usage}
        if call:
            block = {"type": "tool_use", "id": f"toolu_{results}", "name": call[0], "input": call[1]}
            start, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
        else:
            block = {"type": "text", "text": step["text"]}
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": step["text"]}
        reason = "tool_use" if call else "end_turn"
        if not body.get("stream"):
            self.plain(200, {**message, "content": [block], "stop_reason": reason})
            return
        self.stream((event["type"], event) for event in (
            {"type": "message_start", "message": {**message, "content": []}},
            {"type": "content_block_start", "index": 0, "content_block": start},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"}))

    def openai(self, body):
        items = body["input"] if isinstance(body["input"], list) else []
        results = sum(str(i.get("type", "")).endswith("_call_output") for i in items)
        offered = {t.get("name") or t["type"] for t in body.get("tools", [])}
        step = self.step(results, offered)
        call = chosen(step, offered)
        if call and isinstance(call[1], str):  # a custom tool takes text, not JSON
            item = {"type": "custom_tool_call", "id": f"ctc_{results}", "call_id": f"call_{results}", "name": call[0], "input": call[1]}
        elif call:
            item = {"type": "function_call", "id": f"fc_{results}", "call_id": f"call_{results}", "name": call[0],
                    "arguments": json.dumps(call[1])}
        else:
            item = {"type": "message", "id": f"msg_{results}", "role": "assistant",
                    "content": [{"type": "output_text", "text": step["text"], "annotations": []}]}
        response = {"id": f"resp_{results}", "object": "response", "model": body["model"], "output": []}
        usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}
        self.stream((event["type"], event) for event in (
            {"type": "response.created", "response": {**response, "status": "in_progress"}},
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}},
            {"type": "response.output_item.done", "output_index": 0, "item": {**item, "status": "completed"}},
            {"type": "response.completed", "response": {**response, "status": "completed", "output": [item], "usage": usage}}))

    def gemini(self, body, streamed):
        parts = [p for c in body.get("contents", []) for p in c.get("parts", [])]
        results = sum("functionResponse" in p for p in parts)
        offered = {f["name"] for t in body.get("tools", []) for f in t.get("functionDeclarations", [])}
        step = self.step(results, offered, body.get("generationConfig", {}).get("responseJsonSchema"))
        call = chosen(step, offered)
        part = {"functionCall": {"name": call[0], "args": call[1]}} if call else {"text": step["text"]}
        answer = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
                  "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}}
        if streamed:
            self.stream([(None, answer)])
        else:
            self.plain(200, answer)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--script", required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--log")
    options = arguments.parse_args()
    with open(options.script, encoding="utf-8") as file:
        Model.steps = json.load(file)
    if options.log:
        Model.log = open(options.log, "w", encoding="utf-8")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Model)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
