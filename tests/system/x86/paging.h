/* Page tables for the paging images, the same cases for each form of paging. WIDE: entries of 8
 * bytes (PAE, 4-level). The first 2 or 4 MiB are there at 0 for the supervisor, at ALIAS for the
 * user. */
#ifndef PAGING_H
#define PAGING_H

#include "lib.h"

/* Not every image has every case. */
#pragma GCC diagnostic ignored "-Wunused-function"

#if WIDE
typedef u64 entry;
#define INDEX_BITS 9
#else
typedef u32 entry;
#define INDEX_BITS 10
#endif
#if BITS == 64
#define LEVELS 4
#define XBX    "rbx"
#else
#define LEVELS (WIDE ? 3 : 2)
#define XBX    "ebx"
#endif

#define BX "%%" XBX

#define P  1u
#define RW 2u
#define US 4u
#define A  0x20u
#define D  0x40u
#define PS 0x80u
#define G  0x100u
#define NX (1ull << 63)

#define PROBE 0x400000u
#define ALIAS 0x800000u
#define SPAN  (4096u << INDEX_BITS) /* of an entry above the last level */

/* Physical pages. */
enum {
    ROOT = TABLES,
    PDPT = TABLES + 0x1000,
    PD = TABLES + 0x2000,
    PT_LOW = TABLES + 0x3000,
    PT_ALIAS = TABLES + 0x4000,
    PT_PROBE = TABLES + 0x5000,
    PAGE1 = DATA,
    PAGE2 = DATA + 0x1000
};

static inline entry *pde(word address)
{
    return (entry *)(word)(LEVELS == 2 ? ROOT : PD) + address / SPAN;
}

static inline entry *pte(word address) /* of the probed pages */
{
    return (entry *)PT_PROBE + address / 4096 % (1u << INDEX_BITS);
}

static void flush(void)
{
    WRITE_CR(3, READ_CR(3));
}

static void make_tables(void)
{
    for (word a = ROOT; a < PT_PROBE + 0x1000; a += 4)
        *at_address(a) = 0;
    for (unsigned n = 0; n < 1u << INDEX_BITS; n++) {
        ((entry *)PT_LOW)[n] = n * 4096 | P | RW;
        ((entry *)PT_ALIAS)[n] = n * 4096 | P | RW | US;
    }
    *pde(0) = PT_LOW | P | RW;
    *pde(ALIAS) = PT_ALIAS | P | RW | US;
    *pde(PROBE) = PT_PROBE | P | RW | US;
#if BITS == 64
    *(entry *)ROOT = PDPT | P | RW | US;
    *(entry *)PDPT = PD | P | RW | US;
#elif WIDE
    *(entry *)ROOT = PD | P;
#endif
    *at_address(PAGE1) = 0xc3c3c3c3;
    *at_address(PAGE2) = 0xc3c3c3c3;
    *at_address(PAGE2 - 4) = 0xc3c3c3c3;
}

/* What a user does, in registers alone, and the way there. */
asm(".text\n"
    "user_read: mov (%" XBX "), %al\n int $0x30\n"
    "user_write: movb $0xc3, (%" XBX ")\n int $0x30\n"
    "user_run: call *%" XBX "\n int $0x30\n");
extern u8 user_read[], user_write[], user_run[];
word probed, user_code;

/* Leads RUN's machinery into user code at its alias. Ring 3 ends with INT 0x30 in any case. */
static void as_user(const u8 *code)
{
    event.vector = NONE;
    user_code = (word)code + ALIAS;
#if BITS == 64
    asm volatile(
        PUSH_BP
        "mov probed, %%rbx\n push user_ss\n pushq %[stack]\n push user_flags\n push user_cs\n"
        "push user_code\n iretq\n7: 8:\n" RESTORE
        :
        : [stack] "i"(USER_STACK + ALIAS)
        : CLOBBERS);
#else
    asm volatile(
        PUSH_BP
        "mov probed, %%ebx\n pushl user_ss\n pushl %[stack]\n pushl user_flags\n pushl user_cs\n"
        "pushl user_code\n mov user_ss, %%eax\n mov %%ax, %%ds\n mov %%ax, %%es\n iret\n7: "
        "8:\n" RESTORE
        :
        : [stack] "i"(USER_STACK + ALIAS)
        : CLOBBERS);
#endif
}

/* ".." for an access that went well, else the error code of the page fault, with ! when CR2 is not
 * the address of the access, or the vector and a #. */
static void outcome(word address)
{
    if (WENT_WELL)
        put(" ..");
    else if (event.vector != 14)
        say(" %2x#", (u32)event.vector);
    else
        say(" %2x%s", (u32)event.error, event.cr2 == address ? "" : "!");
}

/* Read, write, run by the supervisor; read, write, run by the user. */
static void six(word address)
{
    probed = address;
    RUN("mov probed, " BX "\n mov (" BX "), %%al");
    outcome(address);
    RUN("mov probed, " BX "\n movb $0xc3, (" BX ")");
    outcome(address);
    RUN("mov probed, " BX "\n call *" BX);
    outcome(address);
    as_user(user_read);
    outcome(address);
    as_user(user_write);
    outcome(address);
    as_user(user_run);
    outcome(address);
}

static void write_protect(unsigned on)
{
    word cr0 = READ_CR(0) & ~0x10000ul;
    WRITE_CR(0, on ? cr0 | 0x10000 : cr0);
}

/* Every combination of rights of two levels. */
static void matrix(entry upper_more, entry lower_more)
{
    for (unsigned wp = 0; wp < 2; wp++) {
        write_protect(wp);
        for (unsigned n = 0; n < 16; n++) {
            *pde(PROBE) = PT_PROBE | P | (n >> 2 & 3) << 1 | upper_more;
            *pte(PROBE) = PAGE1 | P | (n & 3) << 1 | lower_more;
            flush();
            say("wp %d upper %s%s lower %s%s:", wp, n & 4 ? "w" : "-", n & 8 ? "u" : "-",
                n & 1 ? "w" : "-", n & 2 ? "u" : "-");
            six(PROBE);
            put("\n");
        }
    }
    *pde(PROBE) = PT_PROBE | P | RW | US;
}

static void line(const char *name)
{
    put(name);
    put(":");
    flush();
    six(PROBE);
    put("\n");
}

static void absent(void)
{
    *pde(PROBE) = PT_PROBE | P | RW | US;
    *pte(PROBE) = PAGE1 | RW | US;
    line("lower absent");
    *pte(PROBE) = PAGE1 | P | RW | US;
    *pde(PROBE) = PT_PROBE | RW | US;
    line("upper absent");
    *pde(PROBE) = PT_PROBE | P | RW | US;
    *pte(PROBE) = 0;
    flush();
    six(PROBE);
    *pte(PROBE) = PAGE1 | P | RW | US; /* what was absent is never remembered */
    six(PROBE);
    put(" absent, then there without a flush\n");
#if WIDE
    *pte(PROBE) = PAGE1 | P | RW | US | 1ull << 51;
    line("reserved bit 51 below");
    *pte(PROBE) = PAGE1 | P | RW | US;
    *pde(PROBE) = PT_PROBE | P | RW | US | 1ull << 51;
    line("reserved bit 51 above");
    *pde(PROBE) = PT_PROBE | P | RW | US;
#endif
}

static void show_bits(const char *name)
{
    say("%s: upper %s lower %s%s\n", name, *pde(PROBE) & A ? "A" : "-", *pte(PROBE) & A ? "A" : "-",
        *pte(PROBE) & D ? "D" : "-");
    *pde(PROBE) &= ~(entry)A;
    *pte(PROBE) &= ~(entry)(A | D);
    flush();
}

static void accessed_dirty(void)
{
    *pde(PROBE) = PT_PROBE | P | RW | US;
    *pte(PROBE) = PAGE1 | P | RW | US;
    flush();
    probed = PROBE;
    show_bits("untouched");
    RUN("mov probed, " BX "\n mov (" BX "), %%al");
    show_bits("read");
    RUN("mov probed, " BX "\n mov %%al, (" BX ")");
    show_bits("written");
    RUN("mov probed, " BX "\n lock addb $0, (" BX ")");
    show_bits("locked");
    *at_address(PAGE1) = 0xc3c3c3c3;
    RUN("mov probed, " BX "\n call *" BX);
    show_bits("run");
    as_user(user_read);
    show_bits("read by the user");
    as_user(user_write);
    show_bits("written by the user");
    RUN("mov probed, " BX "\n mov (" BX "), %%al\n mov %%al, (" BX ")");
    show_bits("read, then written");
    RUN("mov probed, " BX "\n cmpxchg %%cl, (" BX ")");
    show_bits("cmpxchg that does not match");
    *at_address(PAGE1) = 0xc3c3c3c3;
    *pte(PROBE) = PAGE1 | P | US;
    flush();
    write_protect(1);
    RUN("mov probed, " BX "\n mov %%al, (" BX ")");
    say("write to a read-only page: vector %d, %s\n", (u32)event.vector,
        *pte(PROBE) & D ? "D" : "not D");
}

/* Two neighbours with different rights, and accesses across. */
static void cross(const char *name, entry first, entry second)
{
    *pte(PROBE) = PAGE1 | first;
    *pte(PROBE + 4096) = PAGE2 | second;
    flush();
    *at_address(PAGE2 - 4) = 0x44332211;
    *at_address(PAGE2) = 0x88776655;
    probed = PROBE + 4094;
    say("%s:", name);
#define CROSS(insn)                                                                                \
    do {                                                                                           \
        RUN("mov probed, " BX "\n mov $0xdeadbeef, %%eax\n " insn);                                \
        outcome(event.cr2 == PROBE + 4096 ? PROBE + 4096 : probed);                                \
        if (!WENT_WELL)                                                                            \
            put(event.cr2 == PROBE + 4096 ? "(2)" : "(1)");                                        \
    } while (0)
    CROSS("mov (" BX "), %%eax");
    CROSS("mov %%eax, (" BX ")");
    CROSS("add %%eax, (" BX ")");
    CROSS("lock xadd %%eax, (" BX ")");
    say(" memory %8x %8x\n", *at_address(PAGE2 - 4), *at_address(PAGE2));
}

static void crossing(void)
{
    write_protect(1);
    *pde(PROBE) = PT_PROBE | P | RW | US;
    cross("both writable", P | RW, P | RW);
    cross("second absent", P | RW, 0);
    cross("first absent", 0, P | RW);
    cross("both absent", 0, 0);
    cross("second read-only", P | RW, P);
    cross("first read-only", P, P | RW);
    cross("first read-only, second absent", P, 0);
    *at_address(PAGE2) = 0xc3c3c3c3;
    *at_address(PAGE2 - 4) = 0x66c3c3c3; /* 66 | c3 */
    *pte(PROBE) = PAGE1 | P;
    *pte(PROBE + 4096) = 0;
    flush();
    probed = PROBE + 4095;
    RUN("mov probed, " BX "\n jmp *" BX);
    say("instruction into an absent page: vector %d error %2x cr2 +%4x ip +%4x\n",
        (u32)event.vector, (u32)event.error, (u32)event.cr2 - PROBE, (u32)event.ip - PROBE);
}

static void repeats(void)
{
    *pte(PROBE) = PAGE1 | P | RW;
    *pte(PROBE + 4096) = 0;
    flush();
    probed = PROBE + 4096 - 5;
    RUN("mov probed, " BX "\n mov %%ebx, %%edi\n mov $0x1000, %%esi\n mov $8, %%ecx\n rep movsb");
    say("rep movsb into an absent page: error %2x cr2 +%4x\n", (u32)event.error,
        (u32)event.cr2 - PROBE);
    RUN("mov probed, " BX "\n mov %%ebx, %%esi\n mov $0x60800, %%edi\n mov $8, %%ecx\n rep movsl");
    say("rep movsd out of one: error %2x cr2 +%4x\n", (u32)event.error, (u32)event.cr2 - PROBE);
    RUN("mov probed, " BX "\n mov %%ebx, %%edi\n mov $8, %%ecx\n rep stosw");
    say("rep stosw: error %2x cr2 +%4x\n", (u32)event.error, (u32)event.cr2 - PROBE);
}

/* Changed entries count after INVLPG, after loading CR3, and with changed rights. */
static void invalidation(void)
{
    *at_address(PAGE1 + 0x100) = 0x11111111;
    *at_address(PAGE2 + 0x100) = 0x22222222;
    *pte(PROBE) = PAGE1 | P | RW;
    flush();
    VALUE("first page", "mov 0x400100, %%eax\n mov %%eax, result");
    *pte(PROBE) = PAGE2 | P | RW;
    VALUE("second page, after invlpg", "invlpg 0x400123\n mov 0x400100, %%eax\n mov %%eax, result");
    *pte(PROBE) = PAGE1 | P | RW;
    flush();
    VALUE("first page, after loading cr3", "mov 0x400100, %%eax\n mov %%eax, result");
    *pte(PROBE) = PAGE1 | P;
    probed = PROBE;
    RUN("invlpg 0x400000\n mov probed, " BX "\n mov %%al, (" BX ")");
    say("read-only after invlpg: %d error %2x\n", (u32)event.vector, (u32)event.error);
    *pte(PROBE) = 0;
    RUN("invlpg 0x400fff\n mov probed, " BX "\n mov (" BX "), %%al");
    say("absent after invlpg: %d error %2x\n", (u32)event.vector, (u32)event.error);
    *pte(PROBE) = PAGE1 | P | RW | G;
    WRITE_CR(4, READ_CR(4) | 0x80); /* PGE */
    VALUE("global", "mov 0x400100, %%eax\n mov %%eax, result");
    *pte(PROBE) = PAGE2 | P | RW | G;
    VALUE("global, after invlpg", "invlpg 0x400000\n mov 0x400100, %%eax\n mov %%eax, result");
    *pte(PROBE) = PAGE1 | P | RW | G;
    WRITE_CR(4, READ_CR(4) & ~0x80ul);
    VALUE("global, after cr4.pge", "mov 0x400100, %%eax\n mov %%eax, result");
    /* Code that is mapped anew, and the same code at two addresses. */
    *at_address(PAGE1) = 0x000011b8;
    *at_address(PAGE1 + 4) = 0xc300;
    *at_address(PAGE2) = 0x000022b8;
    *at_address(PAGE2 + 4) = 0xc300;
    *pte(PROBE) = PAGE1 | P | RW;
    *pte(PROBE + 4096) = PAGE1 | P | RW;
    flush();
    VALUE("code", "mov probed, " BX "\n call *" BX "\n mov %%eax, result");
    *pte(PROBE) = PAGE2 | P | RW;
    VALUE("other code there",
          "invlpg 0x400000\n mov probed, " BX "\n call *" BX "\n mov %%eax, result");
    VALUE("written through another address",
          "mov probed, " BX "\n add $4096, " BX "\n call *" BX
          "\n mov %%eax, %%ecx\n movb $0x33, 0x60001\n"
          "call *" BX "\n shl $8, %%ecx\n or %%ecx, %%eax\n mov %%eax, result");
}

static void large(const char *name, entry flags)
{
    *pde(PROBE) = PS | flags;
    line(name);
}

static void large_pages(void)
{
    /* The probed address comes to physical 0: its first bytes are code for the time being. */
    u32 saved = *at_address(0);
    *at_address(0) = 0xc3c3c3c3;
    large("large", P | RW | US);
    large("large, read-only", P | US);
    large("large, supervisor", P | RW);
    large("large, absent", RW | US);
    *pde(PROBE) = PS | P | RW | US;
    flush();
    VALUE("large, contents", "mov 0x460100, %%eax\n mov %%eax, result");
    say("large, bits: %s%s\n", *pde(PROBE) & A ? "A" : "-", *pde(PROBE) & D ? "D" : "-");
    RUN("movl $0x77, 0x460104");
    say("large, bits: %s%s\n", *pde(PROBE) & A ? "A" : "-", *pde(PROBE) & D ? "D" : "-");
#if WIDE /* narrow entries have address bits there */
    large("large, reserved bit 13", P | RW | US | 0x2000);
    large("large, reserved bit 20", P | RW | US | 0x100000);
#endif
    *at_address(0) = saved;
    *pde(PROBE) = PT_PROBE | P | RW | US;
}

#endif
