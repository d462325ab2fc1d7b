/* Running pieces of code in virtual-8086 mode; for the images that do. */
#ifndef V86_H
#define V86_H

#include "lib.h"

#define SEGMENT 0x6000 /* DATA: the program's code and data */
#define STACK   0x7000

static u8 reflect_interrupts, count;

/* The monitor: reports what came, or hands an INT n to the program's own vector table. */
static u8 monitor(struct frame *f)
{
    if (!(f->flags & 0x20000))
        return 0;
    u8 *code = (u8 *)(f->cs * 16 + f->ip);
    if (reflect_interrupts && f->vector == 13 && code[0] == 0xcd) {
        u16 *sp = (u16 *)(f->ss * 16 + f->sp) - 3;
        sp[0] = (u16)(f->ip + 2);
        sp[1] = (u16)f->cs;
        sp[2] = (u16)f->flags;
        f->sp -= 6;
        f->ip = (u16)*at_address(code[1] * 4u);
        f->cs = *at_address(code[1] * 4u) >> 16;
        f->flags &= ~0x300u;
        count++;
        return 1;
    }
    if (reflect_interrupts && f->vector == 13 && code[0] == 0xcf) { /* IRET */
        u16 *sp = (u16 *)(f->ss * 16 + f->sp);
        f->ip = sp[0];
        f->cs = sp[1];
        f->flags = (f->flags & 0xffff0000) | sp[2] | 0x3000;
        f->flags &= ~0x3000u;
        f->sp += 6;
        count++;
        return 1;
    }
    return 0;
}

/* Runs the code between the labels 5 and 6 of INSNS in virtual-8086 mode. The code ends itself with
 * HLT, which is #GP(0). */
word entry_flags = 0x20002, es86 = 0x1111, ds86 = SEGMENT, fs86 = 0x2222, gs86 = 0x3333;
#define RUN86(insns)                                                                               \
    do {                                                                                           \
        event.vector = NONE;                                                                       \
        asm volatile(PUSH_BP "mov $5f, %%esi\n mov $0x60000, %%edi\n mov $6f - 5f, %%ecx\n"        \
                             "rep movsb\n movl $0, at\n"                                           \
                             "pushl gs86\n pushl fs86\n pushl ds86\n pushl es86\n pushl $0x7000\n" \
                             "pushl $0x100\n pushl entry_flags\n pushl $0x6000\n pushl $0\n"       \
                             "mov $0x1234, %%eax\n mov $0x60, %%ebx\n mov $0x60, %%edx\n"          \
                             "mov $3, %%ecx\n xor %%esi, %%esi\n mov $0x200, %%edi\n iret\n"       \
                             "7: 5: .code16\n" insns "\n hlt\n 6: .code32\n 8:\n" RESTORE ::       \
                                 : CLOBBERS);                                                      \
    } while (0)

static struct frame last;

static u8 keep(struct frame *f)
{
    if (monitor(f))
        return 1;
    last = *f;
    return 0;
}

static void show(const char *name)
{
    report(name);
    say("  eax %8x sp %4x:%4x es %4x ds %4x fs %4x gs %4x\n", last.eax, last.ss, last.sp, last.es86,
        last.ds86, last.fs86, last.gs86);
}

#define SHOW(name, insns)                                                                          \
    do {                                                                                           \
        RUN86(insns);                                                                              \
        show(name);                                                                                \
    } while (0)

#endif
