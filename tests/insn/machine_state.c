#include "machine.h"

#include <string.h>

void machine_state_default(struct machine_state *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 15; i++)
        s->r[i] = 0xa0000000u + i * 0x01010101u;
    s->r[13] = MACHINE_DATA + 0x800;
    s->r[15] = MACHINE_CODE;
    s->cpsr = 0x10;
    s->tpidrurw = 0xc0de0001;
    s->tpidruro = 0xc0de0002;
    for (unsigned i = 0; i < 32; i++)
        s->d[i] = 0x4010000040800000ull + i * 0x0001000000010000ull;
}
