"""What the providers take: each check raises Refused, in the words and with the status of the provider.

Members that a provider knows and that this stand-in gives no meaning (tools, audio, ...) are refused like unknown ones.
"""
import json
import re


class Refused(Exception):
    def __init__(self, message, param=None, code=None, status=400, type_=None):
        super().__init__(message)
        self.message, self.param, self.code, self.status, self.type = message, param, code, status, type_


LONE = re.compile("[\ud800-\udfff]")
TYPES = {"a string": lambda v: isinstance(v, str), "an object": lambda v: isinstance(v, dict),
         "a boolean": lambda v: isinstance(v, bool), "an array": lambda v: isinstance(v, list),
         "an integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
         "a decimal": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)}
MAX_OUTPUT = 128000


def read_json(raw, said):
    """The document of a body: UTF-8, one object, no half of a surrogate pair."""
    try:
        text = raw.decode("utf-8")
        document = json.loads(text, parse_constant=lambda name: 1 / 0)
        if not isinstance(document, dict) or LONE.search(json.dumps(document, ensure_ascii=False)):
            raise ValueError("not an object of whole characters")
    except (ValueError, ZeroDivisionError, RecursionError) as e:
        raise Refused(said) from e
    return document


def kind_of(value):
    return next((name for name in TYPES if TYPES[name](value)), "null")


# OpenAI

CHAT = {"model": "a string", "messages": "an array", "stream": "a boolean", "stream_options": "an object",
        "max_completion_tokens": "an integer", "store": "a boolean", "metadata": "an object", "user": "a string",
        "safety_identifier": "a string", "prompt_cache_key": "a string", "reasoning_effort": "a string",
        "verbosity": "a string", "service_tier": "a string"}
# A compatible server: the older name of the limit, no choice about usage, and little that is OpenAI's alone.
COMPATIBLE = {"model": "a string", "messages": "an array", "stream": "a boolean", "max_tokens": "an integer",
              "store": "a boolean", "user": "a string", "temperature": "a decimal", "top_p": "a decimal"}
RESPONSES = {"model": "a string", "instructions": "a string", "max_output_tokens": "an integer", "stream": "a boolean",
             "stream_options": "an object", "store": "a boolean", "metadata": "an object", "user": "a string",
             "safety_identifier": "a string", "prompt_cache_key": "a string", "reasoning": "an object",
             "service_tier": "a string", "input": None, "truncation": "a string", "background": "a boolean"}
SAMPLING = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")
RENAMED = {"max_tokens": "max_completion_tokens"}
FLOORS = {"max_completion_tokens": 1, "max_tokens": 1, "max_output_tokens": 16}


def openai_type(path, value, wanted):
    if not TYPES[wanted](value):
        raise Refused("Invalid type for '%s': expected %s, but got %s instead." % (path, wanted, kind_of(value)), path,
                      "invalid_type")


def openai_members(document, known, path="", nullable=True):
    for name, value in document.items():
        full = path + name
        if name in RENAMED and RENAMED[name] in known:
            raise Refused("Unsupported parameter: '%s' is not supported with this model. Use '%s' instead." % (
                full, RENAMED[name]), full, "unsupported_parameter")
        if name in SAMPLING and name not in known:
            raise Refused("Unsupported parameter: '%s' is not supported with this model." % full, full,
                          "unsupported_parameter")
        if name not in known:
            raise Refused("Unknown parameter: '%s'." % full, full, "unknown_parameter")
        if known[name] and not (nullable and value is None and name not in ("model", "messages")):
            openai_type(full, value, known[name])
        floor = FLOORS.get(name)
        if floor and value is not None and value < floor:
            raise Refused("Invalid '%s': integer below minimum value. Expected a value >= %d, but got %d instead." % (
                full, floor, value), full, "integer_below_min_value")


def openai_required(document, *names):
    for name in names:
        if document.get(name) is None:
            raise Refused("Missing required parameter: '%s'." % name, name, "missing_required_parameter")


def openai_choice(path, value, among):
    if value not in among:
        raise Refused("Invalid value: '%s'. Supported values are: %s." % (
            value, ", ".join("'%s'" % v for v in among)), path, "invalid_value")


def openai_filled(path, text):
    openai_type(path, text, "a string")
    if not text:
        raise Refused("Invalid '%s': string too short. Expected a string with minimum length 1, but got an empty string"
                      " instead." % path, path, "string_below_min_length")


def openai_some(path, array):
    openai_type(path, array, "an array")
    if not array:
        raise Refused("Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array"
                      " instead." % path, path, "empty_array")


def openai_content(path, content, kind):
    """The text of a message, which is one string or parts of one kind."""
    if isinstance(content, str):
        openai_filled(path, content)
        return content
    if not isinstance(content, list):
        raise Refused("Invalid type for '%s': expected one of a string or array of objects, but got %s instead." % (
            path, kind_of(content)), path, "invalid_type")
    openai_some(path, content)
    for i, part in enumerate(content):
        here = "%s[%d]" % (path, i)
        openai_type(here, part, "an object")
        openai_choice(here + ".type", part.get("type"), (kind,))
        openai_members(part, {"type": "a string", "text": "a string"}, here + ".", nullable=False)
        openai_filled(here + ".text", part.get("text"))
    return "".join(part["text"] for part in content)


def openai_switches(document, options):
    if document.get("stream_options") is not None:
        if not document.get("stream"):
            raise Refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        openai_members(document["stream_options"], dict.fromkeys(options, "a boolean"), "stream_options.",
                       nullable=False)
    if document.get("metadata") is not None and not document.get("store"):
        raise Refused("The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata")


def chat(document, known=None):
    """[(role, text)] of a request for a chat completion."""
    openai_members(document, known or CHAT)
    openai_required(document, "model", "messages")
    openai_switches(document, ("include_usage", "include_obfuscation"))
    openai_some("messages", document["messages"])
    said = []
    for i, message in enumerate(document["messages"]):
        path = "messages[%d]" % i
        openai_type(path, message, "an object")
        openai_choice(path + ".role", message.get("role"), ("system", "assistant", "user", "developer"))
        openai_members(message, {"role": "a string", "content": None, "name": "a string"}, path + ".", nullable=False)
        said.append((message["role"], openai_content(path + ".content", message.get("content"), "text")))
    return said


def compatible(document):
    return chat(document, COMPATIBLE)


def responses(document):
    openai_members(document, RESPONSES)
    openai_required(document, "model", "input")
    openai_switches(document, ("include_obfuscation",))
    if document.get("background"):
        raise Refused("Background mode is not offered here.", "background", "unsupported_value")
    said = [("system", document["instructions"])] if document.get("instructions") else []
    if isinstance(document["input"], str):
        openai_filled("input", document["input"])
        return [*said, ("user", document["input"])]
    openai_some("input", document["input"])
    for i, item in enumerate(document["input"]):
        path = "input[%d]" % i
        openai_type(path, item, "an object")
        openai_choice(path + ".type", item.get("type", "message"), ("message",))
        openai_choice(path + ".role", item.get("role"), ("system", "assistant", "user", "developer"))
        openai_members(item, {"type": "a string", "role": "a string", "content": None}, path + ".", nullable=False)
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        said.append((item["role"], openai_content(path + ".content", item.get("content"), kind)))
    return said


# Anthropic

MESSAGES = {"model": "a string", "messages": "an array", "max_tokens": "an integer", "system": None,
            "stream": "a boolean", "stop_sequences": "an array", "metadata": "an object", "service_tier": "a string",
            "cache_control": "an object", "temperature": "a decimal", "top_p": "a decimal", "top_k": "an integer"}
PYDANTIC = {"a string": "a valid string", "an object": "a valid dictionary", "a boolean": "a valid boolean",
            "an array": "a valid list", "an integer": "a valid integer", "a decimal": "a valid number"}
VERSIONS = ("2026-10-21", "2023-06-01")


def anthropic_members(document, known, path=""):
    for name, value in document.items():
        if name not in known:
            raise Refused("%s%s: Extra inputs are not permitted" % (path, name))
        if known[name] and not TYPES[known[name]](value):
            raise Refused("%s%s: Input should be %s" % (path, name, PYDANTIC[known[name]]))


def anthropic_content(path, content, what):
    """The text of a message or of the system prompt."""
    if isinstance(content, str):
        if not content.strip():
            raise Refused("%s: %s must be non-empty" % (path, what))
        return content
    if not isinstance(content, list):
        raise Refused("%s: Input should be a valid list" % path)
    if not content:
        raise Refused("%s: %s must be non-empty" % (path, what))
    for i, block in enumerate(content):
        here = "%s.%d" % (path, i)
        if not isinstance(block, dict) or block.get("type") != "text":
            raise Refused("%s: Input tag found using 'type' does not match any of the expected tags: 'text'" % here)
        anthropic_members(block, {"type": "a string", "text": "a string", "cache_control": "an object"}, here + ".")
        if not block.get("text", "").strip():
            raise Refused("%s: text content blocks must contain non-whitespace text" % here)
    return "".join(block["text"] for block in content)


def messages(document, version=VERSIONS[0]):
    for name in ("model", "messages", "max_tokens"):
        if name not in document:
            raise Refused("%s: Field required" % name)
    for name in SAMPLING:
        if version == VERSIONS[0] and name in document:
            raise Refused("%s: this parameter is not supported with anthropic-version %s" % (name, version))
    anthropic_members(document, MESSAGES)
    if document["max_tokens"] < 1:
        raise Refused("max_tokens: Input should be greater than or equal to 1")
    if document["max_tokens"] > MAX_OUTPUT:
        raise Refused("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s" % (
            document["max_tokens"], MAX_OUTPUT, document["model"]))
    said = []
    if "system" in document:
        said = [("system", anthropic_content("system", document["system"], "system content"))]
    if not document["messages"]:
        raise Refused("messages: at least one message is required")
    last = None
    for i, message in enumerate(document["messages"]):
        path = "messages.%d" % i
        if not isinstance(message, dict):
            raise Refused("%s: Input should be a valid dictionary" % path)
        anthropic_members(message, {"role": "a string", "content": None}, path + ".")
        role = message.get("role")
        if role == "system":
            raise Refused('messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter,'
                          ' not "system" as an input message role.')
        if role not in ("user", "assistant"):
            raise Refused("%s.role: Input should be 'user' or 'assistant'" % path)
        if last is None and role != "user":
            raise Refused('messages: first message must use the "user" role')
        if role == last:
            raise Refused('messages: roles must alternate between "user" and "assistant", but found multiple "%s" roles'
                          ' in a row' % role)
        last = role
        said.append((role, anthropic_content(path + ".content", message.get("content"), "message content")))
    if last != "user":
        raise Refused("This model does not support assistant message prefill. The conversation must end with a user"
                      " message.")
    return said
