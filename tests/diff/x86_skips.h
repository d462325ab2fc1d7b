/* What the comparison with the host CPU leaves out, each with its reason. */
#ifndef TESTS_DIFF_X86_SKIPS_H
#define TESTS_DIFF_X86_SKIPS_H

#include <Zydis/Zydis.h>

/* Why instructions of this mnemonic are not compared; null: they are. */
const char *skip_reason(ZydisMnemonic);

#endif
