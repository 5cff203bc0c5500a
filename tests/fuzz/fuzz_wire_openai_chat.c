/* An answer of OpenAI's Chat Completions. */
#include "wires.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return wire_fuzz(&wire_openai_chat, data, size);
}
