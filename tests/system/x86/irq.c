/* The interrupt controllers, the timer, HLT and the shadow of STI; counts alone, no times. */
#include "lib.h"

volatile word ticks, slave, spurious;
static word hlt_back;

static void eoi(unsigned irq)
{
    if (irq >= 8)
        outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

static u8 serve(struct frame *f)
{
    if (f->vector == 0x20)
        ticks++;
    else if (f->vector >= 0x28 && f->vector < 0x30)
        slave++;
    else if (f->vector == 0x27)
        spurious++;
    else
        return 0;
    hlt_back = f->ip;
    eoi((unsigned)f->vector - 0x20);
    return 1;
}

static void init_controllers(u8 master, u8 second)
{
    outb(0x20, 0x11);
    outb(0x21, 0x20);
    outb(0x21, 4);
    outb(0x21, 1);
    outb(0xa0, 0x11);
    outb(0xa1, 0x28);
    outb(0xa1, 2);
    outb(0xa1, 1);
    outb(0x21, master);
    outb(0xa1, second);
}

static void timer(unsigned mode, unsigned count)
{
    outb(0x43, (u8)(0x30 | mode << 1));
    outb(0x40, (u8)count);
    outb(0x40, (u8)(count >> 8));
}

static void controllers(void)
{
    init_controllers(0x5a, 0xa5);
    say("masks %2x %2x\n", inb(0x21), inb(0xa1));
    outb(0x20, 0x0a);
    outb(0xa0, 0x0b);
    say("second in service %2x\n", inb(0xa0));
    init_controllers(0xfe, 0xff);
}

/* Until the timer's request is there; interrupts are off. */
static void await(void)
{
    outb(0x20, 0x0a);
    while (!(inb(0x20) & 1))
        ;
}

static void halts(void)
{
    ticks = 0;
    timer(2, 1193); /* 1000 Hz */
    for (unsigned n = 0; n < 3; n++)
        RUN("sti\n hlt\n cli");
    say("three halts, at least as many ticks: %s\n",
        ticks >= 3 && event.vector != NONE ? "yes" : "no");
    RUN("sti\n hlt\n nop\n cli");
    say("back behind hlt: %s\n", hlt_back - at <= 4 ? "yes" : "no");
    word before = ticks;
    while (ticks < before + 3)
        RUN("sti\n nop\n nop\n cli");
    put("ticks while running: yes\n");
    /* A pending interrupt comes behind the instruction after STI, never before it. */
    await();
    RUN("sti\n nop\n nop\n nop\n cli");
    say("shadow of sti: vector %d at +%2x\n", (u32)event.vector, (u32)(event.ip - at));
    await();
    RUN("sti\n cli\n nop\n nop");
    say("sti, cli: %s\n", event.vector == NONE ? "nothing" : "an interrupt");
    RUN("sti\n mov %%ss, %%eax\n mov %%eax, %%ss\n nop\n nop\n cli");
    say("mov ss behind sti: vector %d\n", (u32)event.vector);
    await();
    RUN("pushf\n orl $0x200, (%%esp)\n popf\n nop\n nop\n cli");
    say("popf has no shadow: vector %d at +%2x\n", (u32)event.vector, (u32)(event.ip - at));
}

static void one_shot(void)
{
    outb(0x21, 0xff);
    timer(0, 0);
    outb(0x20, 0x0a);
    say("terminal count not yet: %2x\n", inb(0x20) & 1u);
    await();
    ticks = 0;
    outb(0x21, 0xfe);
    RUN("sti\n nop\n nop\n cli");
    RUN("sti\n nop\n nop\n cli");
    say("one shot: %d\n", (u32)ticks);
    outb(0x43, 0xe2); /* read back the status of counter 0 */
    say("status %2x\n", (u32)(inb(0x40) & 0xbf));
    timer(2, 0x8000);
    outb(0x43, 0);
    unsigned first = inb(0x40);
    first |= (unsigned)inb(0x40) << 8;
    for (volatile unsigned n = 0; n < 30000; n++)
        ;
    outb(0x43, 0);
    unsigned second = inb(0x40);
    second |= (unsigned)inb(0x40) << 8;
    say("counts down: %s\n", first <= 0x8000 && second <= 0x8000 && first != second ? "yes" : "no");
}

static void user_interrupt(void)
{
    user_flags = 0x202;
    timer(2, 1193);
    ticks = 0;
    TRY3("user: waits for three ticks", "1: cmpl $3, ticks\n jb 1b");
    user_flags = 2;
    timer(0, 0);
    outb(0x21, 0xff);
}

static void serial(void)
{
    outb(0x3fb, 0x80);
    outb(0x3f8, 1);
    outb(0x3f9, 0);
    outb(0x3fb, 3);
    outb(0x3fc, 0x10); /* loopback */
    outb(0x3fa, 0);
    outb(0x3ff, 0x5a);
    say("scratch %2x, line control %2x\n", inb(0x3ff), inb(0x3fb));
    outb(0x3f8, 0x41);
    while (!(inb(0x3fd) & 1))
        ;
    say("looped back %2x\n", inb(0x3f8));
    say("then %2x\n", inb(0x3fd) & 0x61u);
    outb(0x3fc, 0);
}

void main(void)
{
    put("== irq\n");
    hook = serve;
    controllers();
    halts();
    one_shot();
    user_interrupt();
    serial();
    put(inb(0x64) & 2 ? "keyboard controller is busy\n" : "keyboard controller is ready\n");
    hook = 0;
}
