/* mustache: the published specification's rules that we support, and what we refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "json.h"
#include "mustache.h"
#include "unit.h"

/* One rendering: up to two partials by name. */
struct row {
	const char	*name;
	const char	*data;
	const char	*text;
	const char	*wanted;
	const char	*partial[2][2];
};

#define NONE { { NULL } }

struct set {
	mem_ctx			*mem;
	const struct row	*row;
};

static const struct mustache *
parsed(mem_ctx *mem, const char *text)
{
	const struct mustache	*t = NULL;
	const char		*why = NULL;

	if (mustache_parse(mem, text, &t, &why) != OK)
		fail_msg("%s in: %s", why, text);
	return t;
}

static const struct mustache *
find_partial(const void *set, const char *name)
{
	const struct set	*s = set;

	for (size_t i = 0; i < LENGTH(s->row->partial); i++)
		if (s->row->partial[i][0] != NULL && strcmp(s->row->partial[i][0], name) == 0)
			return parsed(s->mem, s->row->partial[i][1]);
	return NULL;
}

static struct json_object *
document(mem_ctx *mem, const char *text)
{
	struct json_object	*doc = NULL;

	if (json_parse(mem, text, strlen(text), &doc) != OK)
		fail_msg("not JSON: %s", text);
	return doc;
}

static enum err
render(mem_ctx *mem, const struct row *row, struct buf *out)
{
	struct set	set = { mem, row };

	*out = (struct buf){ .ctx = mem };
	buf_put(out, "", 0);
	return mustache_render(parsed(mem, row->text), document(mem, row->data), find_partial, &set, out);
}

static void
check(void **state, const struct row *rows, size_t n)
{
	struct buf	out;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(render(*state, &rows[i], &out), OK);
		if (strcmp(out.data, rows[i].wanted) != 0)
			fail_msg("%s: gave \"%s\", not \"%s\"", rows[i].name, out.data, rows[i].wanted);
	}
}

static void
test_variables(void **state)
{
	static const struct row	rows[] = {
		{ "plain text", "{}", "Hello } from { Mustache }!\n", "Hello } from { Mustache }!\n", NONE },
		{ "a value", "{\"x\":\"world\"}", "Hello, {{x}}!", "Hello, world!", NONE },
		{ "is not read again", "{\"x\":\"{{y}}\",\"y\":1}", "{{x}} {{{x}}}", "{{y}} {{y}}", NONE },
		{ "escaped", "{\"x\":\"& \\\" < > '\"}", "{{x}}", "&amp; &quot; &lt; &gt; &#39;", NONE },
		{ "raw by three braces", "{\"x\":\"& \\\" < > '\"}", "{{{x}}}", "& \" < > '", NONE },
		{ "raw by ampersand", "{\"x\":\"& \\\" < > '\"}", "{{&x}}", "& \" < > '", NONE },
		{ "escaped at both ends", "{\"x\":\"<a>\"}", "{{x}}|{{{x}}}", "&lt;a&gt;|<a>", NONE },
		{ "integer", "{\"x\":85}", "{{x}} {{{x}}} {{&x}}", "85 85 85", NONE },
		{ "decimal", "{\"x\":1.210}", "{{x}}", "1.21", NONE },
		{ "decimal that needs all digits", "{\"x\":0.30000000000000004}", "{{x}}", "0.30000000000000004", NONE },
		{ "negative, zero, large", "{\"a\":-7,\"b\":0,\"c\":9223372036854775807,\"d\":18446744073709551615}",
		    "{{a}} {{b}} {{c}} {{d}}", "-7 0 9223372036854775807 18446744073709551615", NONE },
		{ "true prints itself", "{\"x\":true}", "{{x}}", "true", NONE },
		{ "false, null, missing print nothing", "{\"f\":false,\"n\":null}", "({{f}}{{n}}{{m}}{{{f}}}{{&n}})", "()",
		    NONE },
		{ "objects and arrays print nothing", "{\"o\":{\"a\":1},\"l\":[1]}", "({{o}}{{l}})", "()", NONE },
		{ "space around stays", "{\"x\":\"-\"}", "| {{x}} |\n  {{x}}\n", "| - |\n  -\n", NONE },
		{ "space inside goes", "{\"x\":\"-\"}", "|{{ x }}|{{{ x }}}|{{& x }}|{{\n x\t}}|", "|-|-|-|-|", NONE },
		{ "UTF-8", "{\"x\":\"\xc3\xa9\"}", "\xe2\x82\xac{{x}}", "\xe2\x82\xac\xc3\xa9", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_dotted_names(void **state)
{
	static const struct row	rows[] = {
		{ "a path", "{\"a\":{\"b\":{\"c\":\"<\"}}}", "{{a.b.c}}{{{a.b.c}}}{{&a.b.c}}", "&lt;<<", NONE },
		{ "same as sections", "{\"a\":{\"b\":\"x\"}}", "{{a.b}} == {{#a}}{{b}}{{/a}}", "x == x", NONE },
		{ "a broken chain", "{\"a\":{},\"c\":\"x\"}", "({{a.b.c}})", "()", NONE },
		{ "a chain through a string", "{\"a\":\"x\"}", "({{a.b}})", "()", NONE },
		{ "a broken chain in a section is false", "{\"s\":{\"a\":{}}}", "{{#s}}({{#a.b}}no{{/a.b}}){{/s}}", "()",
			NONE },
		{ "is not looked for higher up", "{\"a\":{\"b\":{}},\"c\":{\"name\":\"x\"}}", "({{a.b.c.name}})", "()", NONE },
		{ "first name is looked for on the stack",
		    "{\"a\":{\"b\":{\"c\":{\"name\":\"x\"}}},\"b\":{\"c\":{\"name\":\"wrong\"}}}", "{{#a}}{{b.c.name}}{{/a}}",
		    "x", NONE },
		{ "and decides the rest", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"wrong\"}}", "({{#a}}{{b.c}}{{/a}})", "()", NONE },
		{ "null stops the search", "{\"a\":{\"x\":null},\"x\":\"wrong\"}", "({{#a}}{{x}}{{/a}})", "()", NONE },
		{ "sections", "{\"a\":{\"b\":{\"c\":true}}}", "{{#a.b.c}}yes{{/a.b.c}}{{#a.b.d}}no{{/a.b.d}}", "yes", NONE },
		{ "inverted", "{\"a\":{\"b\":{\"c\":true}}}", "{{^a.b.c}}no{{/a.b.c}}{{^a.b.d}}yes{{/a.b.d}}", "yes", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_the_implicit_iterator(void **state)
{
	static const struct row	rows[] = {
		{ "the document", "\"<x>\"", "{{.}}{{{.}}}", "&lt;x&gt;<x>", NONE },
		{ "strings", "{\"l\":[\"a\",\"b\",\"<\"]}", "\"{{#l}}({{.}}){{/l}}\"", "\"(a)(b)(&lt;)\"", NONE },
		{ "integers and decimals", "{\"l\":[1,1.5,-2]}", "{{#l}}({{.}}){{/l}}", "(1)(1.5)(-2)", NONE },
		{ "nested arrays", "{\"l\":[[1,2],[3]]}", "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "(12)(3)", NONE },
		{ "the value of a section", "{\"x\":\"a\"}", "{{#x}}{{.}}{{/x}}", "a", NONE },
		{ "the document is a list", "[{\"v\":1},{\"v\":2}]", "{{#.}}({{v}}){{/.}}", "(1)(2)", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_sections(void **state)
{
	static const struct row	rows[] = {
		{ "true", "{\"b\":true}", "\"{{#b}}shown{{/b}}\"", "\"shown\"", NONE },
		{ "false", "{\"b\":false}", "\"{{#b}}shown{{/b}}\"", "\"\"", NONE },
		{ "null", "{\"b\":null}", "\"{{#b}}shown{{/b}}\"", "\"\"", NONE },
		{ "missing", "{}", "\"{{#b}}shown{{/b}}\"", "\"\"", NONE },
		{ "empty string and zero are falsy", "{\"s\":\"\",\"z\":0,\"d\":0.0}",
		    "({{#s}}s{{/s}}{{#z}}z{{/z}}{{#d}}d{{/d}})", "()", NONE },
		{ "empty object is truthy", "{\"o\":{}}", "{{#o}}shown{{/o}}", "shown", NONE },
		{ "an object is the context", "{\"o\":{\"name\":\"Joe\"}}", "{{#o}}Hi {{name}}.{{/o}}", "Hi Joe.", NONE },
		{ "outer names are seen within", "{\"a\":\"x\",\"b\":\"wrong\",\"s\":{\"b\":\"y\"},\"c\":{\"d\":\"z\"}}",
		    "{{#s}}{{a}}, {{b}}, {{c.d}}{{/s}}", "x, y, z", NONE },
		{ "a list", "{\"l\":[{\"i\":1},{\"i\":2},{\"i\":3}]}", "{{#l}}{{i}}{{/l}}", "123", NONE },
		{ "an empty list", "{\"l\":[]}", "({{#l}}shown{{/l}})", "()", NONE },
		{ "a list with null in it", "{\"l\":[null,1]}", "{{#l}}({{.}}){{/l}}", "()(1)", NONE },
		{ "lists in lists", "{\"l\":[{\"n\":\"A\",\"m\":[{\"n\":\"1\"},{}]},{\"n\":\"B\",\"m\":[]}]}",
		    "{{#l}}{{n}}:{{#m}}[{{n}}]{{/m}};{{/l}}", "A:[1][A];B:;", NONE },
		{ "nested", "{\"b\":true}", "|{{#b}}B {{#b}}C{{/b}} D{{/b}}|{{#c}}x {{#b}}y{{/b}}{{/c}}|", "|B C D||", NONE },
		{ "twice", "{\"b\":true,\"t\":\"second\"}", "{{#b}}first{{/b}} {{t}} {{#b}}third{{/b}}", "first second third",
		    NONE },
		{ "space inside the tag", "{\"b\":true}", "|{{# b }}={{/ b }}|", "|=|", NONE },
		{ "space around inline tags", "{\"b\":true}", " | {{#b}}\t|\t{{/b}} | \n", " | \t|\t | \n", NONE },
		{ "inline over lines", "{\"b\":true}", " | {{#b}} {{! note }}\n {{/b}} | \n", " |  \n  | \n", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_inverted_sections(void **state)
{
	static const struct row	rows[] = {
		{ "falsy", "{\"b\":false,\"n\":null,\"s\":\"\",\"z\":0,\"l\":[]}",
		    "{{^b}}b{{/b}}{{^n}}n{{/n}}{{^s}}s{{/s}}{{^z}}z{{/z}}{{^l}}l{{/l}}{{^m}}m{{/m}}", "bnszlm", NONE },
		{ "truthy", "{\"b\":true,\"s\":\"x\",\"z\":1,\"l\":[0],\"o\":{}}",
		    "({{^b}}b{{/b}}{{^s}}s{{/s}}{{^z}}z{{/z}}{{^l}}l{{/l}}{{^o}}o{{/o}})", "()", NONE },
		{ "the context stays", "{\"x\":\"y\"}", "{{^b}}{{x}}{{/b}}", "y", NONE },
		{ "nested", "{\"b\":false}", "|{{^b}}B {{^b}}C{{/b}} D{{/b}}|", "|B C D|", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_comments(void **state)
{
	static const struct row	rows[] = {
		{ "inline", "{}", "12345{{! comment }}67890", "1234567890", NONE },
		{ "over lines", "{}", "12345{{!\n  over\n  lines\n}}67890\n", "1234567890\n", NONE },
		{ "alone on a line", "{}", "Begin.\n{{! comment }}\nEnd.\n", "Begin.\nEnd.\n", NONE },
		{ "alone and indented", "{}", "Begin.\n  {{! comment }}\nEnd.\n", "Begin.\nEnd.\n", NONE },
		{ "alone over lines", "{}", "Begin.\n  {{!\n    here\n  }}  \nEnd.\n", "Begin.\nEnd.\n", NONE },
		{ "alone, carriage returns", "{}", "|\r\n{{! comment }}\r\n|", "|\r\n|", NONE },
		{ "alone on the first line", "{}", "  {{! comment }}\n!", "!", NONE },
		{ "alone on the last line", "{}", "!\n  {{! comment }}", "!\n", NONE },
		{ "inline indented", "{}", "  12 {{! 34 }}\n", "  12 \n", NONE },
		{ "space is kept", "{}", "12345 {{! comment }} 67890", "12345  67890", NONE },
		{ "may look like a tag", "{\"x\":1}", "{{! {{x }}|{{!x}}|", "||", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_standalone_lines(void **state)
{
	static const struct row	rows[] = {
		{ "sections", "{\"b\":true}", "| This Is\n{{#b}}\n|\n{{/b}}\n| A Line\n", "| This Is\n|\n| A Line\n", NONE },
		{ "indented", "{\"b\":true}", "| This Is\n  {{#b}}\n|\n\t{{/b}}  \n| A Line\n", "| This Is\n|\n| A Line\n",
		    NONE },
		{ "inverted", "{\"b\":false}", "| This Is\n  {{^b}}\n|\n  {{/b}}\n| A Line\n", "| This Is\n|\n| A Line\n",
		    NONE },
		{ "carriage returns", "{\"b\":true}", "|\r\n{{#b}}\r\n{{/b}}\r\n|", "|\r\n|", NONE },
		{ "on the first line", "{\"b\":true}", "  {{#b}}\n#{{/b}}\n/", "#\n/", NONE },
		{ "on the last line", "{\"b\":true}", "#{{#b}}\n/\n  {{/b}}", "#\n/\n", NONE },
		{ "a list", "{\"l\":[1,2]}", "<ul>\n{{#l}}\n  <li>{{.}}</li>\n{{/l}}\n</ul>\n",
		    "<ul>\n  <li>1</li>\n  <li>2</li>\n</ul>\n", NONE },
		{ "a variable keeps its line", "{\"x\":\"\"}", "a\n  {{x}}\nb\n", "a\n  \nb\n", NONE },
		{ "two tags keep their line", "{\"b\":true}", "a\n{{#b}}{{/b}}\nb\n", "a\n\nb\n", NONE },
		{ "blank lines stay", "{}", "a\n\n  \nb\n", "a\n\n  \nb\n", NONE },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_partials(void **state)
{
	static const struct row	rows[] = {
		{ "included", "{}", "\"{{>text}}\"", "\"from partial\"", { { "text", "from partial" } } },
		{ "missing", "{}", "\"{{>text}}\"", "\"\"", NONE },
		{ "sees the context", "{\"text\":\"content\"}", "\"{{>p}}\"", "\"*content*\"", { { "p", "*{{text}}*" } } },
		{ "recurses", "{\"c\":\"X\",\"n\":[{\"c\":\"Y\",\"n\":[]}]}", "{{>p}}", "X<Y<>>",
		    { { "p", "{{c}}<{{#n}}{{>p}}{{/n}}>" } } },
		{ "nests", "{\"a\":\"hello\",\"b\":\"world\"}", "{{>outer}}", "*hello world!*",
		    { { "outer", "*{{a}} {{>inner}}*" }, { "inner", "{{b}}!" } } },
		{ "name with dots and slashes", "{\"a\":{\"b\":1}}", "{{>mail/a.b}}", "p", { { "mail/a.b", "p" } } },
		{ "space inside the tag", "{\"b\":true}", "|{{> p }}|", "|[]|", { { "p", "[]" } } },
		{ "space around stays", "{}", "| {{>p}} |", "| \t|\t |", { { "p", "\t|\t" } } },
		{ "inline is not indented", "{\"data\":\"|\"}", "  {{data}}  {{> p}}\n", "  |  >\n>\n", { { "p", ">\n>" } } },
		{ "alone, carriage returns", "{}", "|\r\n{{>p}}\r\n|", "|\r\n>|", { { "p", ">" } } },
		{ "alone on the first line", "{}", "  {{>p}}\n>", "  >\n  >>", { { "p", ">\n>" } } },
		{ "alone on the last line", "{}", ">\n  {{>p}}", ">\n  >\n  >", { { "p", ">\n>" } } },
		{ "each line indented, not what values hold", "{\"content\":\"<\\n->\"}", "\\\n {{>p}}\n/\n",
		    "\\\n |\n <\n->\n |\n/\n", { { "p", "|\n{{{content}}}\n|\n" } } },
		{ "indentations add up", "{}", "a\n {{>p}}\nb\n", "a\n 1\n   2\n   3\n 4\nb\n",
		    { { "p", "1\n  {{>q}}\n4\n" }, { "q", "2\n3\n" } } },
		{ "sections of an indented partial", "{\"l\":[1,2]}", "a\n  {{>p}}\n", "a\n  [\n  - 1\n  - 2\n  ]\n",
		    { { "p", "[\n{{#l}}\n- {{.}}\n{{/l}}\n]\n" } } },
		{ "blank lines are not indented", "{}", "  {{>p}}\n", "  a\n\n  b\n", { { "p", "a\n\nb\n" } } },
	};

	check(state, rows, LENGTH(rows));
}

static void
test_dynamic_names(void **state)
{
	static const struct row	rows[] = {
		{ "named by a value", "{\"x\":\"text\"}", "\"{{>*x}}\"", "\"Hello\"", { { "text", "Hello" } } },
		{ "named down a path", "{\"a\":{\"b\":{\"c\":\"p\"}},\"p\":\"wrong\"}", "{{>*a.b.c}}", "Hello",
		    { { "p", "Hello" } } },
		{ "named by the item", "{\"l\":[\"p\",\"q\"]}", "{{#l}}{{>*.}}{{/l}}", "12", { { "p", "1" }, { "q", "2" } } },
		{ "the value is missing", "{}", "\"{{>*x}}\"", "\"\"", { { "x", "wrong" } } },
		{ "the value is no string", "{\"x\":1,\"y\":{},\"z\":null}", "\"{{>*x}}{{>*y}}{{>*z}}\"", "\"\"",
		    { { "1", "wrong" } } },
		{ "the partial is missing", "{\"x\":\"nowhere\"}", "\"{{>*x}}\"", "\"\"", NONE },
		{ "is not looked up twice", "{\"x\":\"y\",\"y\":\"p\"}", "\"{{>**x}}{{>*x}}\"", "\"\"", { { "p", "wrong" } } },
		{ "sees the context", "{\"x\":\"p\",\"text\":\"hi\"}", "{{>*x}}", "*hi*", { { "p", "*{{text}}*" } } },
		{ "space inside the tag", "{\"x\":\"p\"}", "|{{> * x }}|", "|[]|", { { "p", "[]" } } },
		{ "alone on a line", "{\"x\":\"p\"}", "a\n  {{>*x}}\nb", "a\n  1\n  2\nb", { { "p", "1\n2\n" } } },
	};

	check(state, rows, LENGTH(rows));
}

/* "text" is a catalogue's, which has no line end. */
static const struct mustache *
find_text(const void *set, const char *name)
{
	const struct mustache	*t = NULL;

	if (strcmp(name, "text") != 0)
		return find_partial(set, name);
	assert_int_equal(mustache_parse_text(((const struct set *)set)->mem, "Hello", &t, NULL), OK);
	return t;
}

static void
test_c96_a_text_alone_on_a_line_keeps_its_line_end(void **state)
{
	static const struct row	rows[] = {
		{ "a blank line after it stays", "{}", "{{>text}}\n\nb\n", "Hello\n\nb\n", NONE },
		{ "named by a value", "{\"x\":\"text\"}", "a\n\n{{>*x}}\n\n", "a\n\nHello\n\n", NONE },
		{ "indented", "{}", "  {{>text}}\nb", "  Hello\nb", NONE },
		{ "between others", "{}", "a {{>text}} b\n", "a Hello b\n", NONE },
		{ "in a partial of its own", "{}", "{{>p}}\nb", "Hello\nb", { { "p", "{{>text}}\n" } } },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct set	set = { *state, &rows[i] };
		struct buf	out = { .ctx = *state };

		assert_int_equal(mustache_render(parsed(*state, rows[i].text), document(*state, rows[i].data), find_text,
		    &set, &out), OK);
		assert_string_equal(out.data, rows[i].wanted);
	}
}

static void
test_what_is_no_template(void **state)
{
	static const struct { const char *text, *why; }	rows[] = {
		{ "a\n{{x", "line 2: a tag is not closed" },
		{ "{{{x}}", "line 1: a tag is not closed" },
		{ "{{}}", "line 1: a tag without a proper name" },
		{ "{{#}}{{/}}", "line 1: a tag without a proper name" },
		{ "{{>}}", "line 1: a tag without a proper name" },
		{ "{{>*}}", "line 1: a tag without a proper name" },
		{ "{{a b}}", "line 1: a tag without a proper name" },
		{ "{{a.}}", "line 1: a tag without a proper name" },
		{ "{{.a}}", "line 1: a tag without a proper name" },
		{ "{{a..b}}", "line 1: a tag without a proper name" },
		{ "{{ {a} }}", "line 1: a tag without a proper name" },
		{ "\n\n{{=<% %>=}}", "line 3: set delimiters and inheritance are not supported" },
		{ "{{<a}}{{/a}}", "line 1: set delimiters and inheritance are not supported" },
		{ "{{$a}}{{/a}}", "line 1: set delimiters and inheritance are not supported" },
		{ "{{#a}}\n", "line 2: a section is not closed" },
		{ "{{#a}}\n{{/b}}", "line 2: this tag closes no open section of that name" },
		{ "{{#a.b}}{{/a}}", "line 1: this tag closes no open section of that name" },
		{ "{{#a}}{{#b}}{{/a}}{{/b}}", "line 1: this tag closes no open section of that name" },
		{ "{{/a}}", "line 1: this tag closes no open section of that name" },
	};
	const struct mustache	*t;
	const char		*why;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		why = "";
		if (mustache_parse(*state, rows[i].text, &t, &why) != ERR_INVALID || strcmp(why, rows[i].why) != 0)
			fail_msg("%s: \"%s\"", rows[i].text, why);
		assert_int_equal(mustache_parse(*state, rows[i].text, &t, NULL), ERR_INVALID);
	}
}

static void
put_times(struct buf *b, const char *s, int n)
{
	for (int i = 0; i < n; i++)
		buf_puts(b, s);
}

static void
test_sections_nest_32_deep(void **state)
{
	const struct mustache	*t;
	const char		*why;
	struct buf		b = { .ctx = *state }, out;
	struct row		row = { .data = "{\"a\":true}" };

	for (int depth = 32; depth <= 33; depth++) {
		b.len = 0;
		put_times(&b, "{{#a}}", depth);
		buf_puts(&b, "x");
		put_times(&b, "{{/a}}", depth);
		assert_int_equal(mustache_parse(*state, b.data, &t, &why), depth == 32 ? OK : ERR_INVALID);
		row.text = b.data;
		if (depth == 32)
			assert_int_equal(render(*state, &row, &out), OK);
	}
	assert_string_equal(out.data, "x");
	assert_string_equal(why, "line 1: sections are nested too deeply");
}

static void
test_a_partial_that_includes_itself_ends(void **state)
{
	static const struct row	row = { .data = "{}", .text = "{{>p}}", .partial = { { "p", "x{{>p}}" } } };
	struct buf		out;

	assert_int_equal(render(*state, &row, &out), ERR_INTERNAL);
	assert_in_range(out.len, 1, 64);
}

static void
test_a_line_of_many_tags(void **state)
{
	const struct mustache	*t;
	const char		*why;
	struct buf		b = { .ctx = *state };

	put_times(&b, "{{x}}", 256);
	assert_int_equal(mustache_parse(*state, b.data, &t, &why), OK);
	buf_puts(&b, "{{x}}");
	assert_int_equal(mustache_parse(*state, b.data, &t, &why), ERR_INVALID);
	assert_string_equal(why, "line 1: too many tags in one line");
}

static void
test_rendering_leaves_the_document_alone(void **state)
{
	static const char	data[] = "{\"i\":1,\"d\":1.5,\"s\":\"x\",\"b\":true,\"n\":null,\"l\":[1,{\"a\":2}]}";
	struct json_object	*doc = document(*state, data), *before = NULL;
	const struct mustache	*t = parsed(*state, "{{i}}{{d}}{{s}}{{b}}{{n}}{{#l}}{{.}}{{a}}{{/l}}");
	struct buf		out = { .ctx = *state };

	assert_int_equal(json_object_deep_copy(doc, &before, NULL), 0);
	assert_int_equal(mustache_render(t, doc, find_partial, NULL, &out), OK);
	assert_string_equal(out.data, "11.5xtrue12");
	assert_true(json_object_equal(doc, before));
	json_object_put(before);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_variables), TEST(test_dotted_names), TEST(test_the_implicit_iterator), TEST(test_sections),
		TEST(test_inverted_sections), TEST(test_comments), TEST(test_standalone_lines), TEST(test_partials),
		TEST(test_dynamic_names), TEST(test_what_is_no_template), TEST(test_sections_nest_32_deep),
		TEST(test_a_partial_that_includes_itself_ends), TEST(test_a_line_of_many_tags),
		TEST(test_rendering_leaves_the_document_alone),
		TEST(test_c96_a_text_alone_on_a_line_keeps_its_line_end),
	};

	mem_init();
	return cmocka_run_group_tests_name("mustache", tests, NULL, NULL);
}
