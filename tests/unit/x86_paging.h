/* A machine without firmware whose page tables the tests make themselves. */
#ifndef TESTS_X86_PAGING_H
#define TESTS_X86_PAGING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <narwhal/narwhal.h>

#include "guest/x86/state.h"
#include "mem/mmu.h"

enum paging { PAGING_32, PAGING_PAE, PAGING_4 };

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 32, PTE_D = 64, PTE_PS = 128 };
#define PTE_NX (1ull << 63)

/* Error codes of #PF. */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

#define RAM_SIZE  (32u << 20)
#define HIGH_RAM  (1ull << 32) /* a little memory there too */
#define HIGH_SIZE 0x800000u

/* Mapped to themselves, for the supervisor, in every address space. */
enum {
    KERNEL = 0x10000,  /* code */
    HANDLER = 0x10f00, /* of #PF: halts, with the frame on the stack */
    IDT = 0x11000,
    GDT = 0x12000,
    TSS = 0x13000,
    STACK = 0x14000,
    STACK_END = 0x15000,
    TABLES = 0x100000, /* from here on */
};
/* Mapped for the user. */
enum { USER_STACK = 0x16000, USER_STACK_END = 0x17000 };

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
    struct x86_state *s;
    uint8_t *ram, *high;
    enum paging paging;
    uint32_t flags;
    uint64_t next_table;
    uint64_t root; /* the first address space */
};

/* What the tests run on. */
struct environment {
    nw_arch arch;
    enum paging paging;
    uint32_t flags; /* enum nw_engine_flags */
};

struct machine *machine_new(const struct environment *);
void machine_free(struct machine *);

/* An empty address space with what the supervisor needs; gives its CR3. */
uint64_t space_new(struct machine *);
/* Maps a page of 1 << SIZE_LOG bytes; FLAGS go into the last entry, the others allow everything.
 * Gives the last entry's place. */
uint64_t map_page(struct machine *, uint64_t root, uint64_t gva, uint64_t gpa, uint64_t flags,
                  unsigned size_log);
uint64_t entry_read(struct machine *, uint64_t at);
void entry_write(struct machine *, uint64_t at, uint64_t value);

/* Guest code at a physical address. */
void put_code(struct machine *, uint64_t gpa, const void *bytes, size_t size);
/* Sets a vCPU up to run from PC at privilege level CPL under ROOT. */
void vcpu_start(struct machine *, nw_vcpu *, uint64_t root, uint64_t pc, unsigned cpl);
/* Runs the machine's own from PC at privilege level CPL under ROOT until HLT; gives where that was: the handler's
 * after a page fault. */
uint64_t run(struct machine *, uint64_t root, uint64_t pc, unsigned cpl);
/* Of the page fault that HANDLER has stopped at. */
uint32_t fault_code(struct machine *);
uint64_t fault_pc(struct machine *);

#endif
