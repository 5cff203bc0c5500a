"""What a stack's configuration says of models: four providers, each of them the stand-in of tests/models, and who may
use which.

    small       openai (Responses), and when that fails "spare" at anthropic; plans starter and growth
    large       anthropic; growth
    completions openai's Chat Completions; starter and growth
    compatible  another maker's server, which does not tell what was used in its streams; starter and growth

Only a demo begins with this meter, its quotas and prices in force. Elsewhere ops.put_usage() is for each test, and
USAGE is what this configuration says there.
"""
import secrets

METER = "tokens"
PLANS = ("starter", "growth")
PROVIDERS = {"openai": 'kind = "openai-responses";', "anthropic": 'kind = "anthropic";',
             "completions": 'kind = "openai-chat";',
             "compatible": 'kind = "openai-chat"; max_tokens_field = "max_tokens"; stream_options = false;'}
MODELS = (      # name, provider, the provider's name of it, plans, fallback
    ("small", "openai", "gpt-small", PLANS, "spare"), ("large", "anthropic", "claude-large", PLANS[1:], ""),
    ("completions", "completions", "gpt-small", PLANS, ""), ("compatible", "compatible", "local-small", PLANS, ""),
    ("spare", "anthropic", "claude-small", (), ""))
MAX_TOKENS = 1024
PRICES = {"input": 250000, "cache_read": 25000, "cache_write": 300000, "cache_write_1h": 500000, "output": 2000000}
USAGE = {"meters": [METER], "rates": [], "caps": [],
         "costs": [{"provider": provider, "model": model, "class": name, "micros": micros}
                   for _, provider, model, *_ in MODELS for name, micros in PRICES.items()],
         "quotas": [{"plan": plan, "meter": METER, "included": included, "sold": False, "most": included}
                    for plan, included in zip(PLANS, (100000, 2000000))]}
NOTHING = dict.fromkeys(USAGE, [])
SYSTEM = "You are a helpful assistant."


def keys():
    """A key for each provider, which a test finds again wherever it is not wanted."""
    return {name: "sk-test-%s-%s" % (name, secrets.token_hex(16)) for name in PROVIDERS}


def group(**members):
    return "{ %s }" % " ".join("%s = %s;" % (k, written(v)) for k, v in members.items())


def written(value):
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(map(written, value))
    return '"%s"' % value if isinstance(value, str) else str(value).lower()


def listed(name, groups):
    return "%s = (\n\t%s\n);" % (name, ",\n\t".join(groups))


def settings(url, etc, costs):
    """Lines of tollgate.conf, by their marks. costs: further ones."""
    return {
        "meters": listed("meters", [group(event_name=METER, display_name="Tokens")]),
        "quotas": listed("quotas", [group(plan=q["plan"], meter=METER, included=q["included"])
                                    for q in USAGE["quotas"]]),
        "costs": listed("costs", [group(**cost) for cost in (*USAGE["costs"], *costs)]),
        "model_providers": listed("model_providers", [
            '{ name = "%s"; %s url = "%s/%s/v1"; key_file = "%s/%s.model.key"; }' % (name, more, url, name, etc, name)
            for name, more in PROVIDERS.items()]),
        "models": listed("models", [group(name=name, display_name=name.capitalize(), provider=provider, model=model,
                                          plans=plans, max_tokens=MAX_TOKENS, fallback=fallback)
                                    for name, provider, model, plans, fallback in MODELS]),
        "chat_meter": '\tmeter = "%s";' % METER, "chat_model": '\tmodel = "small";',
        "chat_streams_each": "\tstreams_each = 1000;",
        "chat_system": '\tsystem = "%s";' % SYSTEM}
