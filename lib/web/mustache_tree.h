/*
 * mustache_tree: a parsed template, as the parser leaves it and the renderer walks it. Nodes lie in one array; a
 * section's body is what stands between it and its end.
 */
#ifndef TOLLGATE_MUSTACHE_TREE_H
#define TOLLGATE_MUSTACHE_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum { MUSTACHE_DEPTH = 32 };

enum mustache_kind {
	MUSTACHE_TEXT,
	MUSTACHE_ESCAPED,
	MUSTACHE_RAW,
	MUSTACHE_SECTION,
	MUSTACHE_INVERTED,
	MUSTACHE_PARTIAL,
	MUSTACHE_DYNAMIC,	/* a partial whose name is the value of ours */
	MUSTACHE_CLOSE,		/* only while parsing, as the next one */
	MUSTACHE_COMMENT
};

struct mustache_node {
	enum mustache_kind	kind;
	bool			starts_line;	/* a partial's indentation goes before it */
	const char		*text;		/* TEXT: bytes; else the name, a NUL in place of each '.' */
	size_t			len;		/* TEXT: of it */
	size_t			parts;		/* names in text; 0 for "." */
	size_t			end;		/* SECTION, INVERTED: index after the body */
	const char		*indent;	/* PARTIAL, DYNAMIC alone on a line: what stood before it; else "" */
};

struct mustache {
	struct mustache_node	*nodes;
	size_t			n;
};

#endif
