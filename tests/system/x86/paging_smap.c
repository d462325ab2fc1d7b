/* SMEP and SMAP (SDM 3A 4.6). */
#define WIDE 1
#include "paging.h"

static void rights(const char *name)
{
    for (unsigned user = 0; user < 2; user++) {
        *pte(PROBE) = PAGE1 | P | RW | (user ? US : 0);
        say("%s, %s page", name, user ? "user" : "supervisor");
        line("");
    }
}

void main(void)
{
    put("== paging_smap\n");
    make_tables();
    WRITE_CR(3, ROOT);
    rights("neither");
    WRITE_CR(4, READ_CR(4) | 1 << 20);
    rights("smep");
    WRITE_CR(4, READ_CR(4) ^ 3 << 20);
    rights("smap");
    WRITE_CR(4, READ_CR(4) | 3 << 20);
    rights("both");
    *pte(PROBE) = PAGE1 | P | RW | US;
    flush();
    probed = PROBE;
    TRY("stac, read", "stac\n mov 0x400000, %%al\n clac");
    TRY("stac, clac, read", "stac\n clac\n mov 0x400000, %%al");
    TRY("stac, write", "stac\n mov %%al, 0x400800\n clac");
    TRY("popf with ac, read", "pushf\n btsl $18, (%%rsp)\n popf\n mov 0x400000, %%al\n clac");
    RUN("stac\n mov probed, %%rbx\n jmp *%%rbx");
    say("stac, run: vector %d error %2x\n", (u32)event.vector, (u32)event.error);
    TRY("clac", "clac");
    word cr0 = READ_CR(0);
    WRITE_CR(0, cr0 & ~0x10000ul);
    TRY("write without wp", "mov %%al, 0x400800");
}
