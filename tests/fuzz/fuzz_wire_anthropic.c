/* An answer of Anthropic's Messages. */
#include "wires.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return wire_fuzz(&wire_anthropic, data, size);
}
