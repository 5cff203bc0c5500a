#include "resource.h"
#include "words.h"

static enum err
words_resource(mem_ctx *ctx, struct app *app)
{
	app->say = words_add;
	return words_open(ctx, app->pages, &app->words);
}

const struct resource resource_words = { "words", 0, words_resource, NULL, NULL, NULL };
