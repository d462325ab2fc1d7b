/* PAE paging with execute-disable (SDM 3A 4.4, 4.6, 4.7). */
#define WIDE 1
#include "paging.h"

static void enable_nx(unsigned on)
{
    wrmsr(0xc0000080, on ? 0x800 : 0);
}

static void directory_pointers(void)
{
    entry *pdpt = (entry *)ROOT;
    pdpt[1] = PD | P | RW; /* bit 1 is reserved */
    TRY("cr3 with a reserved bit in a pointer", "mov %%cr3, %%eax\n mov %%eax, %%cr3");
    pdpt[1] = PD | P | 1ull << 51;
    TRY("cr3 with bit 51", "mov %%cr3, %%eax\n mov %%eax, %%cr3");
    pdpt[1] = PD | P;
    flush();
    VALUE("read through the second pointer", "mov 0x40060100, %%eax\n mov %%eax, result");
    pdpt[1] = 0; /* the processor has its own copy until CR3 is loaded */
    VALUE("again, the pointer in memory gone",
          "invlpg 0x40061100\n mov 0x40061100, %%eax\n mov %%eax, result");
    flush();
    TRY("after loading cr3", "mov 0x40060100, %%eax");
}

void main(void)
{
    put("== paging_pae\n");
    make_tables();
    WRITE_CR(4, READ_CR(4) | 0x20);
    WRITE_CR(3, ROOT);
    WRITE_CR(0, READ_CR(0) | 0x80000000);
    *at_address(PAGE1 + 0x100) = 0x12341234;
    *at_address(PAGE2 + 0x100) = 0x56785678;
    directory_pointers();
    matrix(0, 0);
    *pte(PROBE) = PAGE1 | P | RW | US | NX;
    line("bit 63 without nx");
    enable_nx(1);
    matrix(0, NX);
    *pde(PROBE) = PT_PROBE | P | RW | US | NX;
    *pte(PROBE) = PAGE1 | P | RW | US;
    line("nx above");
    *pte(PROBE) = NX;
    line("nx, absent");
    absent();
    accessed_dirty();
    crossing();
    repeats();
    invalidation();
    large_pages();
}
