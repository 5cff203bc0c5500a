/* fuzz: what the targets share. */
#ifndef TOLLGATE_FUZZ_H
#define TOLLGATE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of ours that must hold for any input. */
#define MUST(x) do { if (!(x)) abort(); } while (0)

#endif
