/* 4-level paging (SDM 3A 4.5 to 4.8). */
#define WIDE 1
#include "paging.h"

static void upper_levels(void)
{
    entry *pml4 = (entry *)ROOT, *pdpt = (entry *)PDPT;
    /* The second and third slots of both lead to the same tables, with rights of their own. */
    static const struct {
        const char *name;
        entry flags;
    } cases[] = {{"rwu", P | RW | US},
                 {"ru", P | US},
                 {"rw", P | RW},
                 {"r", P},
                 {"nx", P | RW | US | NX},
                 {"absent", RW | US},
                 {"reserved", P | RW | US | 1ull << 51},
                 {"bit 7", P | RW | US | PS}};
    *pte(PROBE) = PAGE1 | P | RW | US;
    for (unsigned n = 0; n < 8; n++) {
        pml4[1] = PDPT | cases[n].flags;
        flush();
        say("level 4 %s:", cases[n].name);
        six((1ull << 39) + PROBE);
        put("\n");
    }
    for (unsigned n = 0; n < 7; n++) {
        pdpt[1] = PD | cases[n].flags;
        flush();
        say("level 3 %s:", cases[n].name);
        six((1ull << 30) + PROBE);
        put("\n");
    }
    pml4[1] = 0;
    pml4[511] = PDPT | P | RW | US;
    flush();
    put("highest:");
    six(0xffffff8000000000 + PROBE);
    put("\n");
    say("accessed: %s %s\n", pml4[511] & A ? "A" : "-", pdpt[0] & A ? "A" : "-");
}

void main(void)
{
    put("== paging64\n");
    make_tables();
    WRITE_CR(3, ROOT);
    matrix(0, 0);
    wrmsr(0xc0000080, 0x900);
    matrix(0, NX);
    absent();
    upper_levels();
    accessed_dirty();
    crossing();
    repeats();
    invalidation();
    large_pages();
}
