/* Flags that the manuals leave undefined: compared on the processors whose way with them the guest
 * has (AMD's), left out on others. */
#ifndef TESTS_DIFF_X86_UNDEFINED_H
#define TESTS_DIFF_X86_UNDEFINED_H

#include <stdbool.h>
#include <stdint.h>
#include <Zydis/Zydis.h>

/* The model to compare with is the one of the host's vendor. */
bool host_is_amd(void);

uint32_t undefined_flags(ZydisMnemonic);

#endif
