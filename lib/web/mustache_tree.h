/*
 * mustache_tree: a parsed template, as the parser leaves it and the renderer walks it. Nodes lie in one array; a
 * section's body is the nodes after it, up to its end.
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
	MUSTACHE_DYNAMIC,	/* a partial whose name is a value of the document */
	MUSTACHE_CLOSE,		/* only while parsing, as MUSTACHE_COMMENT */
	MUSTACHE_COMMENT
};

struct mustache_node {
	enum mustache_kind	kind;
	bool			starts_line;	/* a partial's indentation goes before it */
	const char		*text;		/* TEXT: bytes; else the name, a NUL in place of each '.' */
	size_t			len;		/* TEXT: number of bytes */
	size_t			parts;		/* names in text; 0 for "." */
	size_t			end;		/* SECTION, INVERTED: index after the body */
	bool			alone;		/* PARTIAL, DYNAMIC alone on a line, whose end the template does not have */
	const char		*indent;	/* PARTIAL, DYNAMIC alone on a line: the white space before it; else "" */
};

struct mustache {
	struct mustache_node	*nodes;
	size_t			n;
	bool			is_text;	/* as a partial alone on a line it is followed by the line's end */
};

#endif
