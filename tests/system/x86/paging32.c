/* 32-bit paging, 4 KiB and 4 MiB pages (SDM 3A 4.3, 4.6, 4.7, 4.8). */
#define WIDE 0
#include "paging.h"

void main(void)
{
    put("== paging32\n");
    make_tables();
    user_flags = 2;
    WRITE_CR(3, ROOT);
    WRITE_CR(0, READ_CR(0) | 0x80000000);
    matrix(0, 0);
    absent();
    accessed_dirty();
    crossing();
    repeats();
    invalidation();
    /* Without CR4.PSE bit 7 says nothing: the entry leads to a table, here at physical 0. */
    *pde(PROBE) = PT_PROBE | P | RW | US | PS;
    *pte(PROBE) = PAGE1 | P | RW | US;
    line("bit 7 without pse");
    WRITE_CR(4, READ_CR(4) | 0x10);
    large_pages();
}
