#include "asked.h"

#include <string.h>

#include "json.h"
#include "text.h"

enum { WORD = 64 };

/* What an id is made of; a model's name may have dots too. */
#define ID "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define NAME ID "."

#define SUBMIT "submit-message"
#define REGENERATE "regenerate-message"

static enum err
refuse(struct asked *a, const char *field, const char *reason)
{
	a->field = field;
	a->reason = reason;
	return ERR_INVALID;
}

static bool
is_word(const char *s, const char *set)
{
	size_t	n = strspn(s, set);

	return s[n] == '\0' && n > 0 && n <= WORD;
}

/* The string there, or NULL without one. *wrong: it is something else, or holds U+0000. */
static const char *
string_of(struct json_object *doc, const char *pointer, bool *wrong)
{
	const char	*text = json_whole_text(doc, pointer);

	*wrong = text == NULL && json_at(doc, pointer) != NULL;
	return text;
}

/* set: ID or NAME. */
static enum err
word_check(struct asked *a, const char *value, bool wrong, const char *field, const char *set)
{
	if (wrong || (value != NULL && !is_word(value, set)))
		return refuse(a, field, strchr(set, '.') != NULL ? "must be 1 to 64 letters, digits, \"_\", \"-\" and dots" :
		    "must be 1 to 64 letters, digits, \"_\" and \"-\"");
	return OK;
}

/* A member that may be missing. */
static enum err
word_read(struct visit *v, struct asked *a, const char *name, const char *set, const char **out)
{
	bool	wrong;

	*out = string_of(v->json, mem_printf(v->q->mem, "/%s", name), &wrong);
	return word_check(a, *out, wrong, name, set);
}

/* Adds a part's text: parts of one message are lines of it. */
static enum err
part_read(struct asked *a, struct json_object *part, struct buf *text)
{
	bool		wrong;
	const char	*words;

	if (!json_is(part, "/type", "text"))
		return refuse(a, "parts", "must be texts");
	words = string_of(part, "/text", &wrong);
	if (words == NULL)
		return refuse(a, "text", wrong ? "must be a string without U+0000" : "is missing");
	if (text->len > 0)
		buf_puts(text, "\n");
	buf_puts(text, words);
	return text->len > ASKED_TEXT ? ERR_TOO_LARGE : OK;
}

static enum err
text_check(struct asked *a, const char *text)
{
	if (text == NULL || text_is_blank(text))
		return refuse(a, "text", "is empty");
	if (strlen(text) > ASKED_TEXT)
		return ERR_TOO_LARGE;
	a->text = text;
	return OK;
}

static enum err
message_read(struct visit *v, struct asked *a, struct json_object *message)
{
	struct json_object	*parts = json_object_object_get(message, "parts");
	struct buf		text = { .ctx = v->q->mem };
	bool			wrong;

	if (!json_is(message, "/role", "user"))
		return refuse(a, "messages", "must end with a user's");
	a->message = string_of(message, "/id", &wrong);
	if (a->message == NULL)
		return refuse(a, "messages", "must end with one that has an id");
	TRY(word_check(a, a->message, wrong, "messages", ID));
	if (!json_object_is_type(parts, json_type_array))
		return refuse(a, "parts", json_object_object_get(message, "content") == NULL ? "must be an array" :
		    "are missing: \"content\" is of AI SDK 4, and this speaks to 5, 6 and 7");
	for (size_t i = 0; i < json_object_array_length(parts); i++)
		TRY(part_read(a, json_object_array_get_idx(parts, i), &text));
	return text_check(a, text.data);
}

/* The user's last message: the one that is sent alone, or the last of all. */
static enum err
last_read(struct visit *v, struct asked *a)
{
	struct json_object	*message = json_object_object_get(v->json, "message");
	struct json_object	*all = json_object_object_get(v->json, "messages");
	size_t			n = json_object_is_type(all, json_type_array) ? json_object_array_length(all) : 0;

	if (message == NULL && n > 0)
		message = json_object_array_get_idx(all, n - 1);
	if (message == NULL)
		return refuse(a, "messages", "are missing");
	if (!json_object_is_type(message, json_type_object))
		return refuse(a, "messages", "must be objects");
	return message_read(v, a, message);
}

static enum err
trigger_read(struct visit *v, struct asked *a)
{
	bool	wrong;

	a->trigger = string_of(v->json, "/trigger", &wrong);
	if (a->trigger == NULL && !wrong)
		a->trigger = SUBMIT;
	if (wrong || (strcmp(a->trigger, SUBMIT) != 0 && strcmp(a->trigger, REGENERATE) != 0))
		return refuse(a, "trigger", "must be " SUBMIT " or " REGENERATE);
	return OK;
}

static enum err
tenant_check(struct asked *a)
{
	if (a->tenant != NULL && !text_is_uuid(a->tenant, strlen(a->tenant)))
		return refuse(a, "tenant", "must be a UUID");
	return OK;
}

enum err
asked_read(struct visit *v, struct asked *a)
{
	bool	wrong;

	*a = (struct asked){ 0 };
	if (!json_object_is_type(v->json, json_type_object))
		return refuse(a, "body", "must be an object");
	TRY(word_read(v, a, "id", ID, &a->chat));
	if (a->chat == NULL)
		return refuse(a, "id", "is missing");
	TRY(trigger_read(v, a));
	TRY(word_read(v, a, "messageId", ID, &a->message_id));
	TRY(word_read(v, a, "model", NAME, &a->model));
	a->tenant = string_of(v->json, "/tenant", &wrong);
	if (wrong)
		return refuse(a, "tenant", "must be a UUID");
	TRY(tenant_check(a));
	return last_read(v, a);
}

/* The field, or NULL when it is empty or missing. */
static const char *
field_of(struct visit *v, const char *name)
{
	const char	*value = form_get(&v->form, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* Browsers send the ends of lines as CR LF. */
static char *
lines_of(struct visit *v, const char *text)
{
	char	*out = mem_copy(v->q->mem, text, strlen(text)), *to = out;

	for (const char *from = text; *from != '\0'; from++) {
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	}
	*to = '\0';
	return out;
}

enum err
asked_read_form(struct visit *v, struct asked *a)
{
	const char	*text = form_get(&v->form, "text");

	*a = (struct asked){
		.chat = field_of(v, "chat"), .message = field_of(v, "message"), .model = field_of(v, "model"),
		.tenant = field_of(v, "tenant"), .trigger = SUBMIT,
	};
	if (a->chat == NULL || a->message == NULL)
		return refuse(a, "chat", "is missing");
	TRY(word_check(a, a->chat, false, "chat", ID));
	TRY(word_check(a, a->message, false, "message", ID));
	TRY(word_check(a, a->model, false, "model", NAME));
	TRY(tenant_check(a));
	return text_check(a, text == NULL ? NULL : lines_of(v, text));
}

/* json_put() leaves out what is missing, and the database takes that for null. */
const char *
asked_document(struct visit *v, const struct asked *a)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put(doc, "chat", a->chat);
	json_put(doc, "message", a->message);
	json_put(doc, "text", a->text);
	json_put(doc, "trigger", a->trigger);
	json_put(doc, "message_id", a->message_id);
	json_put(doc, "model", a->model);
	json_put(doc, "tenant", a->tenant);
	json_object_object_add(doc, "most", json_object_new_int(v->app->config->chat.streams_each));
	return json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);
}
