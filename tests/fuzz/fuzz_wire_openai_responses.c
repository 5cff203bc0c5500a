/* An answer of OpenAI's Responses. */
#include "wires.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return wire_fuzz(&wire_openai_responses, data, size);
}
