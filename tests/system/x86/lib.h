/* What the test images share: output, exceptions as data, descriptors. One source for 16-, 32- and
 * 64-bit code. */
#ifndef LIB_H
#define LIB_H

#include "layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;
typedef unsigned long word;

/* ---- output: port 0xe9 ---- */
void put(const char *text);
void hex(u64 value, unsigned digits);
/* %s, %d, %x, %lx (64 bits); a digit in front is the number of hexadecimal digits (1..9; 8 if
 * none). */
void say(const char *format, ...);
void finish(void);

/* ---- exceptions ---- */
/* As pushed by the entry points (boot.S), lowest address first. */
struct frame {
#if BITS == 16
    word flags_now;
    u32 es, ds;
    u32 edi, esi, ebp, esp_then, ebx, edx, ecx, eax;
    u16 vector, ip, cs, flags;
#elif BITS == 32
    u32 flags_now, gs, fs, es, ds;
    u32 edi, esi, ebp, esp_then, ebx, edx, ecx, eax;
    u32 vector, error, ip, cs, flags;
    u32 sp, ss;                 /* from an outer ring */
    u32 es86, ds86, fs86, gs86; /* from virtual-8086 mode */
#else
    u64 flags_now, r15, r14, r13, r12, r11, r10, r9, r8;
    u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error, ip, cs, flags, sp, ss;
#endif
};

struct event {
    word vector; /* NONE: nothing happened */
    word error, ip, cs, flags, sp, ss, cr2, flags_now;
};
#define NONE      0xffu
#define WENT_WELL (event.vector == NONE || (BITS != 16 && event.vector == VECTOR_OK))

extern struct event event; /* the last one */
extern word at;            /* what its IP is reported relative to */
extern word resume_sp, resume_ip;
extern word result, result2; /* of a piece of code, for it to store */
/* If set: called first; true when execution is to go on where FRAME says. */
extern u8 (*hook)(struct frame *);

/* One line: NAME, what happened. */
void report(const char *name);
void report_value(const char *name, word value);

#if BITS == 64
#define PUSH_BP "push %%rbp\n mov %%rsp, resume_sp\n movq $8f, resume_ip\n movq $7f, at\n"
#define CLOBBERS                                                                                   \
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",       \
        "r15", "memory", "cc"
#define RESTORE                                                                                    \
    "mov $0x10, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov %%eax, %%ss\n mov resume_sp, "     \
    "%%rsp\n cld\n pop %%rbp\n"
#else
#define PUSH_BP  "push %%ebp\n mov %%esp, resume_sp\n movl $8f, resume_ip\n movl $7f, at\n"
#define CLOBBERS "eax", "ebx", "ecx", "edx", "esi", "edi", "memory", "cc"
#if BITS == 32
#define RESTORE                                                                                    \
    "mov $0x10, %%ax\n mov %%ax, %%ds\n mov %%ax, %%es\n mov %%ax, %%fs\n mov %%ax, %%gs\n"        \
    "mov %%ax, %%ss\n mov resume_sp, %%esp\n cld\n pop %%ebp\n"
#else
#define RESTORE                                                                                    \
    "xor %%ax, %%ax\n mov %%ax, %%ds\n mov %%ax, %%es\n mov %%ax, %%fs\n mov %%ax, %%gs\n"         \
    "mov %%ax, %%ss\n movl resume_sp, %%esp\n cld\n popl %%ebp\n"
#endif
#endif

/* Runs INSNS. Afterwards event says what they caused. Everything but SP may be changed. */
#define RUN(insns)                                                                                 \
    do {                                                                                           \
        event.vector = NONE;                                                                       \
        result = 0;                                                                                \
        asm volatile(PUSH_BP "7: " insns "\n8:\n" RESTORE ::: CLOBBERS);                           \
    } while (0)
#define TRY(name, insns)                                                                           \
    do {                                                                                           \
        RUN(insns);                                                                                \
        report(name);                                                                              \
    } while (0)
/* TRY, and then the value that INSNS left in result. */
#define VALUE(name, insns)                                                                         \
    do {                                                                                           \
        RUN(insns);                                                                                \
        if (WENT_WELL)                                                                             \
            report_value(name, result);                                                            \
        else                                                                                       \
            report(name);                                                                          \
    } while (0)

#if BITS != 16
/* As RUN, in ring 3 with the given selectors and flags; INT 0x30 at the end is "ok". */
extern word user_cs, user_ss, user_flags;
#if BITS == 64
#define ENTER_USER                                                                                 \
    "mov user_ss, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n push user_ss\n pushq %[stack]\n "    \
    "push user_flags\n push user_cs\n pushq $7f\n iretq\n"
#else
#define ENTER_USER                                                                                 \
    "pushl user_ss\n pushl %[stack]\n pushl user_flags\n pushl user_cs\n pushl $7f\n"              \
    "mov user_ss, %%eax\n mov %%ax, %%ds\n mov %%ax, %%es\n iret\n"
#endif
#define RUN3(insns)                                                                                \
    do {                                                                                           \
        event.vector = NONE;                                                                       \
        result = 0;                                                                                \
        asm volatile(PUSH_BP ENTER_USER "7: " insns                                                \
                                        "\n int $0x30\n8:\n" RESTORE ::[stack] "i"(USER_STACK)     \
                     : CLOBBERS);                                                                  \
    } while (0)
#define TRY3(name, insns)                                                                          \
    do {                                                                                           \
        RUN3(insns);                                                                               \
        report(name);                                                                              \
    } while (0)
#define VALUE3(name, insns)                                                                        \
    do {                                                                                           \
        RUN3(insns);                                                                               \
        if (WENT_WELL)                                                                             \
            report_value(name, result);                                                            \
        else                                                                                       \
            report(name);                                                                          \
    } while (0)

extern u64 gdt[GDT_SIZE], idt[];
extern u64 idt_entry_count;
struct table {
    u16 limit;
    word base;
} __attribute__((packed));

/* ACCESS: bits 8..15 of a descriptor's upper half; FLAGS: bits 20..23. */
u64 descriptor(u32 base, u32 limit, unsigned access, unsigned flags);
/* GATE: 14 (interrupt), 15 (trap), 5 (task), 6 and 7 (16 bits). */
void set_gate(unsigned vector, unsigned type, unsigned dpl, unsigned selector, word target);
void reset_gate(unsigned vector);
extern u32 tss[26 + 8192 / 4 + 1]; /* the current one, with a permission map of all zeros */
#endif

/* ---- instructions ---- */
static inline void outb(u16 port, u8 value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void wrmsr(u32 msr, u64 value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

static inline u64 rdmsr(u32 msr)
{
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

/* Memory at a fixed address; the compiler does not know that it may be page 0. */
static inline volatile u32 *at_address(word address)
{
    asm("" : "+r"(address));
    return (volatile u32 *)address;
}

#define READ_CR(n)                                                                                 \
    ({                                                                                             \
        word value_;                                                                               \
        asm volatile("mov %%cr" #n ", %0" : "=r"(value_));                                         \
        value_;                                                                                    \
    })
#define WRITE_CR(n, value) asm volatile("mov %0, %%cr" #n : : "r"((word)(value)) : "memory")

void main(void);

#endif
