#include "lib.h"

#include <stdarg.h>

struct event event = {.vector = NONE};
word at, resume_sp, resume_ip, result, result2;
u8 (*hook)(struct frame *);

void put(const char *text)
{
    while (*text)
        outb(0xe9, (u8)*text++);
}

void hex(u64 value, unsigned digits)
{
    while (digits--)
        outb(0xe9, (u8) "0123456789abcdef"[value >> (4 * digits) & 15]);
}

static void decimal(u32 value)
{
    char text[12];
    unsigned n = sizeof text - 1;
    text[n] = 0;
    do
        text[--n] = (char)('0' + value % 10);
    while (value /= 10);
    put(text + n);
}

void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    for (; *format; format++) {
        if (*format != '%') {
            outb(0xe9, (u8)*format);
            continue;
        }
        unsigned digits = 8;
        if (*++format >= '1' && *format <= '9')
            digits = (unsigned)(*format++ - '0');
        switch (*format) {
        case 's': put(va_arg(ap, const char *)); break;
        case 'd': decimal(va_arg(ap, u32)); break;
        case 'x': hex(va_arg(ap, u32), digits); break;
        case 'l':
            format++;
            hex(va_arg(ap, u64), 16);
            break;
        default: break;
        }
    }
    va_end(ap);
}

/* Bochs ends on the word, the exit port of QEMU and Narwhal on the write. */
void finish(void)
{
    put("== end\n");
    for (const char *text = "Shutdown"; *text; text++)
        outb(0x8900, (u8)*text);
    outb(0x501, 0);
    for (;;)
        asm volatile("cli; hlt");
}

#define SYSTEM_FLAGS 0x3ff702u /* all but the arithmetic ones */

#if BITS != 16
word user_cs = BITS == 64 ? SEL_USER_CODE64 : SEL_USER_CODE32, user_ss = SEL_USER_DATA,
     user_flags = 2;
#endif

void report(const char *name)
{
    put(name);
    if (WENT_WELL) {
        put(": ok\n");
        return;
    }
    say(": vector %d", (u32)event.vector);
#if BITS != 16
    if (event.vector < 32 && WITH_ERROR >> event.vector & 1)
        say(" error %4x", (u32)event.error);
#endif
    if (event.vector == 14) {
        put(" cr2 ");
        hex(event.cr2, 2 * sizeof(word));
    }
    word ip = event.ip - at;
    say(" at %s%4x cs %4x flags %6x", ip >> 31 ? "-" : "+", (u32)(ip >> 31 ? -ip : ip) & 0xffffff,
        (u32)event.cs, (u32)(event.flags & SYSTEM_FLAGS));
    if (BITS != 16 && event.cs & 3)
        say(" stack %4x:%6x", (u32)event.ss, (u32)event.sp);
    put("\n");
}

void report_value(const char *name, word value)
{
    put(name);
    put(": ");
    hex(value, 2 * sizeof value);
    put("\n");
}

u8 on_event(struct frame *);
u8 on_event(struct frame *f)
{
    event.vector = f->vector;
    event.ip = f->ip;
    event.cs = f->cs;
    event.flags = f->flags;
    event.flags_now = f->flags_now;
#if BITS != 16
    event.error = f->error;
    event.cr2 = f->vector == 14 ? READ_CR(2) : 0;
    event.sp = event.ss = 0;
    if (BITS == 64 || f->cs & 3 || f->flags & 0x20000) {
        event.sp = f->sp;
        event.ss = f->ss;
    }
#endif
    return hook && hook(f);
}

extern u8 entries[];
void setup(void);

static void mask_interrupts(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

#if BITS == 16
void setup(void)
{
    mask_interrupts();
    for (unsigned n = 0; n < ENTRIES; n++)
        *at_address(n * 4) = (u32)(entries + 16 * n);
}
#else
u64 idt[ENTRIES * BITS / 32];
u32 tss[26 + 8192 / 4 + 1];

u64 descriptor(u32 base, u32 limit, unsigned access, unsigned flags)
{
    u32 low = base << 16 | (limit & 0xffff);
    u32 high =
        (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000);
    return (u64)high << 32 | low;
}

void set_gate(unsigned vector, unsigned type, unsigned dpl, unsigned selector, word target)
{
    u32 low = selector << 16 | (target & 0xffff);
    u32 high = (u32)(target & 0xffff0000) | 0x8000 | dpl << 13 | type << 8;
    idt[vector * (BITS / 32)] = (u64)high << 32 | low;
#if BITS == 64
    idt[vector * 2 + 1] = target >> 32;
#endif
}

void reset_gate(unsigned vector)
{
    set_gate(vector, 14, vector == 3 || vector == 4 || vector == VECTOR_OK ? 3 : 0, SEL_CODE,
             (word)(entries + 16 * vector));
}

void setup(void)
{
    mask_interrupts();
    for (unsigned n = 0; n < ENTRIES; n++)
        reset_gate(n);
    static struct table pointer;
    pointer = (struct table){sizeof idt - 1, (word)idt};
    asm volatile("lidt %0" : : "m"(pointer));
#if BITS == 32
    tss[1] = TSS_STACK;
    tss[2] = SEL_DATA;
    tss[25] = 26 * 4 << 16;
#else
    tss[1] = TSS_STACK;
    tss[25] = 26 * 4 << 16;
#endif
    tss[26 + 8192 / 4] = 0xff;
    gdt[SEL_TSS / 8] = descriptor((u32)(word)tss, 26 * 4 + 8192, 0x89, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
}
#endif
