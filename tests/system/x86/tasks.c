/* Hardware task switches (SDM 3A chapter 7): JMP, CALL, IRET, task gates, interrupts; 32- and
 * 16-bit state segments; what is saved, loaded, marked busy and linked; what goes wrong. */
#include "lib.h"

#define SEL_TASK   SEL_TEST /* 32-bit TSS of the other task */
#define SEL_TASK16 (SEL_TEST + 8)
#define SEL_GATE   (SEL_TEST + 16) /* a task gate in the GDT */

static u32 task[26 + 1], task_stack[128];
static u16 task16[22];
static word seen[12];

/* The other task: notes what it finds and leaves again the way LEAVE says, again and again. */
asm(".text\n"
    "task_code:\n"
    "mov %eax, seen\n mov %ecx, seen + 4\n pushf\n popl seen + 8\n mov %esp, seen + 12\n"
    "mov %cr0, %eax\n mov %eax, seen + 16\n str %ax\n movzx %ax, %eax\n mov %eax, seen + 20\n"
    "mov %fs, %eax\n mov %eax, seen + 24\n sldt %ax\n movzx %ax, %eax\n mov %eax, seen + 28\n"
    "clts\n mov $0x77, %ecx\n"
    "cmpl $0, leave_by_jump\n jne 1f\n iret\n jmp task_code\n"
    "1: ljmp $0x48, $0\n jmp task_code\n"
    "task_error:\n popl seen + 32\n mov resume_ip, %eax\n mov %eax, tss + 32\n jmp task_code\n"
    "task16_code: .code16gcc\n mov %eax, seen\n mov %sp, %ax\n mov %eax, seen + 12\n str %ax\n "
    "movzx %ax, %eax\n"
    "mov %eax, seen + 20\n clts\n iretl\n jmp task16_code\n .code32\n");
extern u8 task_code[], task_error[], task16_code[];
word leave_by_jump;

static unsigned type(unsigned sel)
{
    return (unsigned)(gdt[sel / 8] >> 40 & 15);
}

static void show(const char *name)
{
    report(name);
    say("  eax %8x ecx %8x flags %6x esp %4x ts %d tr %4x fs %4x ldt %4x error %8x\n", (u32)seen[0],
        (u32)seen[1], (u32)seen[2] & 0x3ff702,
        (u32)(seen[3] ? (u32)task_stack + sizeof task_stack - seen[3] : 0) & 0xffff,
        (u32)(seen[4] >> 3 & 1), (u32)seen[5], (u32)seen[6], (u32)seen[7], (u32)seen[8]);
    u16 tr;
    asm volatile("str %0" : "=r"(tr));
    say("  types: old %2x new %2x; tr %4x; new task: link %4x flags %6x ecx %8x; old task: flags "
        "%6x ss %4x cs %4x ecx %8x ts %d\n",
        type(SEL_TSS), type(SEL_TASK), tr, task[0] & 0xffff, task[9] & 0x3ff702, task[11],
        tss[9] & 0x3ff702, tss[20] & 0xffff, tss[19] & 0xffff, tss[11], (u32)(READ_CR(0) >> 3 & 1));
    asm volatile("clts");
    for (unsigned n = 0; n < 12; n++)
        seen[n] = 0;
}

static void new_task(word start)
{
    for (unsigned n = 0; n < 26; n++)
        task[n] = 0;
    task[8] = start;
    task[9] = 0x2;         /* EFLAGS */
    task[10] = 0xe000e000; /* EAX */
    task[14] = (u32)task_stack + sizeof task_stack;
    task[18] = task[20] = task[21] = SEL_DATA;
    task[19] = SEL_CODE;
    task[22] = SEL_USER_DATA; /* FS */
    task[25] = 26 * 4 << 16;
    gdt[SEL_TASK / 8] = descriptor((u32)task, 103, 0x89, 0);
    /* What came after a failed switch: this task is the current one, and busy. */
    gdt[SEL_TSS / 8] = descriptor((u32)tss, 26 * 4 + 8192, 0x89, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    tss[0] = 0;
    leave_by_jump = 0;
}

static void switches(void)
{
    new_task((word)task_code);
    RUN("mov $0xc0ffee, %%ecx\n lcall $0x80, $0");
    show("call and iret");
    RUN("mov $0xc0ffe2, %%ecx\n lcall $0x80, $0");
    show("call again, behind the iret");
    new_task((word)task_code);
    leave_by_jump = 1;
    RUN("mov $0xc0ffe3, %%ecx\n ljmp $0x80, $0x12345678");
    show("jump and jump");
    new_task((word)task_code);
    gdt[SEL_GATE / 8] = descriptor(SEL_TASK << 16, 0, 0x85, 0) | (u64)SEL_TASK << 16;
    RUN("mov $0xc0ffee, %%ecx\n lcall $0x90, $0");
    show("call through a gate");
    new_task((word)task_code);
    leave_by_jump = 1;
    RUN("mov $0xc0ffee, %%ecx\n ljmp $0x90, $0");
    show("jump through a gate");
    new_task((word)task_code);
    set_gate(0x31, 5, 3, SEL_TASK, 0);
    RUN("mov $0xc0ffee, %%ecx\n int $0x31");
    show("interrupt");
    new_task((word)task_code);
    RUN3("mov $0xc0ffee, %%ecx\n int $0x31");
    show("user: interrupt");
    new_task((word)task_code);
    task[9] = 0x4002; /* NT of the new task is set by a call, kept by a jump */
    leave_by_jump = 1;
    RUN("mov $0xc0ffee, %%ecx\n ljmp $0x80, $0");
    show("jump to a task with nt");
    /* An exception with an error code through a task gate: the code is on the new stack. The task
     * sends the old one behind its instruction. */
    new_task((word)task_error);
    set_gate(13, 5, 0, SEL_TASK, 0);
    RUN("mov $0xc0ffee, %%ecx\n mov $0x3000, %%eax\n mov %%ax, %%es");
    reset_gate(13);
    show("#GP by task");
    new_task((word)task_error);
    set_gate(8, 5, 0, SEL_TASK, 0);
    idt[0] &= ~(1ull << 47);
    RUN("mov $0xc0ffee, %%ecx\n xor %%esi, %%esi\n div %%esi");
    reset_gate(0);
    reset_gate(8);
    show("#DF by task");
}

static void small_task(void)
{
    new_task((word)task_code);
    for (unsigned n = 0; n < 22; n++)
        task16[n] = 0;
    task16[7] = (u16)(word)task16_code;
    task16[8] = 2;
    task16[9] = 0x1616; /* AX */
    task16[13] = 0x9000;
    task16[17] = SEL_DATA;
    task16[18] = SEL_CODE16;
    task16[19] = task16[20] = SEL_DATA;
    gdt[SEL_TASK16 / 8] = descriptor((u32)task16, 43, 0x81, 0);
    RUN("mov $0xc0ffee, %%ecx\n lcall $0x88, $0");
    report("call of a 16-bit task");
    say("  ax %4x sp %4x tr %4x type %2x link %4x\n", (u32)seen[0] & 0xffff, (u32)seen[3] & 0xffff,
        (u32)seen[5], type(SEL_TASK16), task16[0]);
    asm volatile("clts");
}

static void failures(void)
{
    new_task((word)task_code);
    TRY("jump to the busy task", "ljmp $0x48, $0");
    gdt[SEL_TASK / 8] = descriptor((u32)task, 102, 0x89, 0);
    TRY("limit too small", "ljmp $0x80, $0");
    gdt[SEL_TASK / 8] = descriptor((u32)task, 103, 0x09, 0);
    TRY("absent tss", "ljmp $0x80, $0");
    TRY("call of an absent tss", "lcall $0x80, $0");
    gdt[SEL_TASK / 8] = descriptor((u32)task, 103, 0x89, 0);
    TRY3("user: tss of dpl 0", "ljmp $0x83, $0");
    gdt[SEL_GATE / 8] = descriptor(SEL_DATA << 16, 0, 0x85, 0) | (u64)SEL_DATA << 16;
    TRY("gate to data", "ljmp $0x90, $0");
    TRY("iret with nt, link to nothing",
        "movl $0, tss\n pushf\n orl $0x4000, (%%esp)\n popf\n iret");
    TRY("clear nt", "pushf\n andl $~0x4000, (%%esp)\n popf");
    tss[0] = SEL_TASK;
    TRY("iret with nt, link not busy", "pushf\n orl $0x4000, (%%esp)\n popf\n iret");
    TRY("clear nt", "pushf\n andl $~0x4000, (%%esp)\n popf");
}

/* A switch that fails in the new task: the exception comes there (SDM 3A 7.3). The handler runs in
 * the new task, on its stack or on none. */
static void broken(const char *name, unsigned index, u32 value)
{
    new_task((word)task_code);
    task[index] = value;
    RUN("lcall $0x80, $0");
    u16 tr;
    asm volatile("str %0" : "=r"(tr));
    put(name);
    say(": vector %d error %4x cs %4x eip %s tr %4x types %2x %2x link %4x ts %d nt %d\n",
        (u32)event.vector, (u32)event.error, (u32)event.cs & 0xffff,
        event.ip == (word)task_code ? "start" : "other", tr, type(SEL_TSS), type(SEL_TASK),
        task[0] & 0xffff, (u32)(READ_CR(0) >> 3 & 1), (u32)(event.flags >> 14 & 1));
    asm volatile("clts\n pushf\n andl $~0x4000, (%%esp)\n popf" : : : "cc", "memory");
}

void main(void)
{
    put("== tasks\n");
    gdt[SEL_TEST / 8 + 4] = descriptor(0, 0xfffff, 0x12, 12);
    switches();
    small_task();
    failures();
    broken("new ds beyond", 21, 0x3000);
    broken("new ds code", 21, 0x09);
    broken("new fs absent", 22, SEL_TEST + 32);
    broken("new gs of ring 0 rpl 3", 23, SEL_DATA | 3);
}
