#include "password.h"

#include <argon2.h>
#include <string.h>
#include <sys/mman.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "log.h"
#include "text.h"

const struct password_cost	password_cost = { 19456, 2, 1 };

/* The dearest that a stored password may be. A row with more was not written by us. */
static const struct password_cost	most = { 65536, 8, 4 };

/* Each a character of UTF-16; those beyond the first plane are two, neither of which is a space or refused. */
static bool
spaces_mapped(UChar *s, int32_t n)
{
	for (int32_t i = 0; i < n; i++) {
		if (u_charType(s[i]) == U_SPACE_SEPARATOR)
			s[i] = ' ';
		if (u_iscntrl(s[i]) && u_charType(s[i]) != U_FORMAT_CHAR)
			return false;
	}
	return true;
}

static bool
has_noncharacter(const UChar *s, int32_t n)
{
	for (int32_t i = 0; i < n;) {
		UChar32	c;

		U16_NEXT(s, i, n, c);
		if (U_IS_UNICODE_NONCHAR(c))
			return true;
	}
	return false;
}

enum err
password_prepare(mem_ctx *mem, const char *given, char **out)
{
	enum { GROWTH = 3 };	/* NFC makes of one character at most three */
	size_t			len = strlen(given);
	int32_t			n, room = (int32_t)len * GROWTH + 1, bytes;
	UChar			*wide = talloc_array(mem, UChar, len + 1), *composed = talloc_array(mem, UChar, room);
	UErrorCode		e = U_ZERO_ERROR;
	const UNormalizer2	*nfc = unorm2_getNFCInstance(&e);

	if (!text_is_utf8(given, len))
		return ERR_INVALID;
	u_strFromUTF8(wide, (int32_t)len + 1, &n, given, (int32_t)len, &e);
	if (U_FAILURE(e) || !spaces_mapped(wide, n) || has_noncharacter(wide, n))
		return ERR_INVALID;
	n = unorm2_normalize(nfc, wide, n, composed, room, &e);
	*out = talloc_array(mem, char, room * GROWTH);
	u_strToUTF8(*out, room * GROWTH, &bytes, composed, n, &e);
	return U_FAILURE(e) ? ERR_INTERNAL : OK;
}

/*
 * The memory of one slot, given back to the system each time: malloc would keep it, once for each thread.
 */
static int
arena_map(uint8_t **memory, size_t bytes)
{
	void	*p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	*memory = p == MAP_FAILED ? NULL : p;
	return *memory == NULL ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
}

static void
arena_unmap(uint8_t *memory, size_t bytes)
{
	munmap(memory, bytes);
}

static bool
within(const struct password_cost *c)
{
	return c->memory >= 8 * c->lanes && c->memory <= most.memory && c->passes >= 1 && c->passes <= most.passes &&
	    c->lanes >= 1 && c->lanes <= most.lanes;
}

static enum err
argon2_run(char *prepared, const struct secret *salt, const struct password_cost *cost, struct secret *key)
{
	argon2_context	a = {
		.out = key->bytes, .outlen = SECRET_SIZE, .pwd = (uint8_t *)prepared, .pwdlen = (uint32_t)strlen(prepared),
		.salt = (uint8_t *)salt->bytes, .saltlen = SECRET_SIZE, .t_cost = cost->passes, .m_cost = cost->memory,
		.lanes = cost->lanes, .threads = 1, .version = ARGON2_VERSION_13, .allocate_cbk = arena_map,
		.free_cbk = arena_unmap, .flags = ARGON2_FLAG_CLEAR_PASSWORD,
	};
	int		code = argon2_ctx(&a, Argon2_id);

	if (code != ARGON2_OK)
		log_line(LOG_ERROR, "password", LOG_TEXT("reason", argon2_error_message(code)));
	return code == ARGON2_OK ? OK : code == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_UNAVAILABLE : ERR_INTERNAL;
}

enum err
password_stretch(const struct slots *slots, char *prepared, const struct secret *salt,
    const struct password_cost *cost, struct secret *key)
{
	int		slot;
	enum err	e;

	if (!within(cost)) {
		log_line(LOG_ERROR, "password", LOG_TEXT("reason", "the stored parameters are out of bounds"));
		return ERR_INTERNAL;
	}
	TRY(slot_take(slots, &slot));
	e = argon2_run(prepared, salt, cost, key);
	slot_give(slot);
	return e;
}
