/* Exceptions of 32-bit protected mode with what is pushed for them, from rings 0 and 3; what ring 3
 * may not do; I/O privilege (SDM 3A chapter 6, SDM 1 chapter 19). */
#include "lib.h"

static void faults(void)
{
    TRY("#DE", "xor %%ecx, %%ecx\n div %%ecx");
    TRY("#DE idiv overflow", "mov $0x80000000, %%eax\n cltd\n mov $-1, %%ecx\n idiv %%ecx");
    TRY("#BP", "int3");
    TRY("#OF", "mov $0x7fffffff, %%eax\n inc %%eax\n into");
    TRY("#BR", "movl $1, 0x600\n movl $9, 0x604\n mov $10, %%eax\n bound %%eax, 0x600");
    TRY("#UD ud2", "ud2");
    TRY("#UD ud1", ".byte 0x0f, 0xb9, 0xc0");
    TRY("#UD lock", ".byte 0xf0, 0x90");
    TRY("#NP segment", "mov $0x80, %%ax\n mov %%ax, %%ds");
    TRY("#SS not present", "mov $0x80, %%ax\n mov %%ax, %%ss");
    TRY("#GP null ss", "xor %%ax, %%ax\n mov %%ax, %%ss");
    TRY("#GP beyond the gdt", "mov $0x2000, %%ax\n mov %%ax, %%es");
    TRY("#GP ldt selector without ldt", "mov $0x0c, %%ax\n mov %%ax, %%es");
    TRY("#GP int without entry", "int $0x50");
    TRY("int 0x31", "int $0x31");
    TRY("#GP lgdt in a register", ".byte 0x0f, 0x01, 0xd0");
    TRY("ltr busy", "mov $0x48, %%ax\n ltr %%ax");
    TRY("ltr code", "mov $0x08, %%ax\n ltr %%ax");
    TRY("ltr null", "xor %%ax, %%ax\n ltr %%ax");
    gdt[SEL_TSS / 8] &= ~(2ull << 40); /* QEMU has taken it */
    RUN("mov $0x48, %%ax\n ltr %%ax");
    TRY("lldt data", "mov $0x10, %%ax\n lldt %%ax");
    TRY("lldt null", "xor %%ax, %%ax\n lldt %%ax");
    TRY("lldt not present", "mov $0x88, %%ax\n lldt %%ax");
    TRY("rdmsr unknown", "mov $0x12345678, %%ecx\n rdmsr");
    TRY("wrmsr unknown", "mov $0x12345678, %%ecx\n xor %%eax, %%eax\n xor %%edx, %%edx\n wrmsr");
    VALUE("rf of a fault is 0 after iret", "pushfl\n popl result");
    TRY("icebp", ".byte 0xf1");
}

static void user_faults(void)
{
    TRY3("user: nothing", "nop");
    TRY3("user: #DE", "xor %%ecx, %%ecx\n div %%ecx");
    TRY3("user: int3", "int3");
    TRY3("user: into", "mov $0x7fffffff, %%eax\n inc %%eax\n into");
    TRY3("user: bound", "movl $1, 0x600\n movl $9, 0x604\n mov $0, %%eax\n bound %%eax, 0x600");
    TRY3("user: ud2", "ud2");
    TRY3("user: int 0x31 with dpl 0", "int $0x31");
    TRY3("user: int 13 with dpl 0", "int $13");
    TRY3("user: icebp with dpl 0", ".byte 0xf1");
    TRY3("user: hlt", "hlt");
    TRY3("user: cli", "cli");
    TRY3("user: sti", "sti");
    TRY3("user: in", "in $0x80, %%al");
    TRY3("user: clts", "clts");
    TRY3("user: lmsw", "lmsw %%ax");
    TRY3("user: lgdt", "lgdt 0x600");
    TRY3("user: lidt", "lidt 0x600");
    TRY3("user: lldt", "xor %%ax, %%ax\n lldt %%ax");
    TRY3("user: ltr", "xor %%ax, %%ax\n ltr %%ax");
    TRY3("user: invlpg", "invlpg 0x600");
    TRY3("user: wbinvd", "wbinvd");
    TRY3("user: invd", "invd");
    TRY3("user: rdmsr", "rdmsr");
    TRY3("user: wrmsr", "wrmsr");
    TRY3("user: mov from cr0", "mov %%cr0, %%eax");
    TRY3("user: mov to cr3", "mov %%eax, %%cr3");
    TRY3("user: mov from dr7", "mov %%dr7, %%eax");
    TRY3("user: rdpmc", "rdpmc");
    TRY3("user: sysexit", "sysexit");
    VALUE3("user: sgdt limit", "sgdt 0x600\n movzwl 0x600, %%eax\n mov %%eax, result");
    VALUE3("user: str", "xor %%eax, %%eax\n str %%ax\n mov %%eax, result");
    VALUE3("user: smsw", "smsw %%eax\n and $0xf, %%eax\n mov %%eax, result");
    TRY3("user: load kernel data", "mov $0x10, %%ax\n mov %%ax, %%es");
    TRY3("user: load kernel data rpl 3", "mov $0x13, %%ax\n mov %%ax, %%es");
    TRY3("user: ss with rpl 0", "mov $0x20, %%ax\n mov %%ax, %%ss");
    TRY3("user: far jump to ring 0", "ljmp $0x08, $0");
    TRY3("user: far jump to data", "ljmp $0x23, $0");
    TRY3("user: far call tss", "lcall $0x48, $0");
    TRY3("user: stack wraps to 0", "mov $0xfffffffe, %%esp\n movl $0x600, %%ebx\n push (%%ebx)");
    TRY3("user: iret to ring 0", "pushf\n push $0x08\n push $0\n iret");
    TRY3("user: lret to ring 0", "push $0x08\n push $0\n lret");
    TRY3("user: single step over int", "pushf\n orl $0x100, (%%esp)\n popf\n int $0x30");
    TRY3("user: single step", "pushf\n orl $0x100, (%%esp)\n popf\n nop");
}

/* POPF by I/O privilege level and current level: which of IF and IOPL change (SDM 2, POPF). */
static void popf_table(void)
{
    for (unsigned iopl = 0; iopl < 4; iopl++) {
        user_flags = 2 | iopl << 12;
        VALUE3("user: popf all set",
               "push $0x00247ed7\n popf\n pushf\n pop result\n push $2\n popf");
        TRY3("user: cli", "cli");
        TRY3("user: in", "in $0x21, %%al");
        TRY3("user: outsb", "mov $0x600, %%esi\n mov $0x80, %%dx\n outsb");
    }
    user_flags = 2;
    VALUE("popf in ring 0", "push $0x00246ed7\n popf\n pushf\n pop result\n push $2\n popf");
    VALUE("popfw in ring 0", "pushw $0x7ed7\n popfw\n pushf\n pop result\n push $2\n popf");
    user_flags = 0x202;
    TRY3("user: rf and if set by iret", "ud2");
    user_flags = 2;
}

static void permission_map(void)
{
    u8 *map = (u8 *)&tss[26];
    for (unsigned n = 0; n < 8192; n++)
        map[n] = 0xff;
    map[0x60 / 8] = 0xf0;   /* 60..63 */
    map[0x87 / 8] = 0x7f;   /* 87 alone */
    map[0xffff / 8] = 0x7f; /* ffff alone */
    TRY3("map: in 60", "in $0x60, %%al");
    TRY3("map: in 64", "in $0x64, %%al");
    TRY3("map: in dword 60", "in $0x60, %%eax");
    TRY3("map: in word 63", "in $0x63, %%ax");
    TRY3("map: in 87", "in $0x87, %%al");
    TRY3("map: in word 87", "in $0x87, %%ax");
    TRY3("map: in ffff", "mov $0xffff, %%dx\n in %%dx, %%al");
    TRY3("map: in word ffff", "mov $0xffff, %%dx\n in %%dx, %%ax");
    TRY3("map: rep insb 60", "mov $0x60, %%dx\n mov $0x60000, %%edi\n mov $3, %%ecx\n rep insb");
    TRY3("map: outsb 64", "mov $0x64, %%dx\n mov $0x60000, %%esi\n outsb");
    /* A TSS that ends in the middle of the map. */
    for (unsigned n = 0; n < 8192; n++)
        map[n] = 0;
    gdt[SEL_TSS / 8] = descriptor((u32)tss, 26 * 4 + 0x10, 0x89, 0);
    RUN("mov $0x48, %%ax\n ltr %%ax");
    TRY3("short map: in 77", "in $0x77, %%al");
    TRY3("short map: in 7f", "in $0x7f, %%al");
    TRY3("short map: in 80", "in $0x80, %%al");
    gdt[SEL_TSS / 8] = descriptor((u32)tss, 26 * 4 + 8192, 0x89, 0);
    tss[25] = 0x4000 << 16;
    RUN("mov $0x48, %%ax\n ltr %%ax");
    TRY3("map beyond the limit: in 60", "in $0x60, %%al");
    tss[25] = 26 * 4 << 16;
}

/* A gate that leads nowhere: which exception, with which error code (SDM 3A 6.13). */
static void bad_gates(void)
{
    set_gate(0x31, 14, 3, 0, 0);
    TRY("gate with null selector", "int $0x31");
    set_gate(0x31, 14, 3, SEL_DATA, 0);
    TRY("gate to data", "int $0x31");
    set_gate(0x31, 14, 3, 0x1f8 + 8, 0);
    TRY("gate beyond the gdt", "int $0x31");
    set_gate(0x31, 14, 3, 0x80, 0);
    TRY("gate to absent code", "int $0x31");
    TRY3("user: gate to absent code", "int $0x31");
    set_gate(0x31, 12, 3, SEL_CODE, 0);
    TRY("call gate in the idt", "int $0x31");
    set_gate(0x31, 14, 3, SEL_USER_CODE32, 0);
    TRY("gate to ring 3 from ring 0", "int $0x31");
    idt[0x31] = 0;
    TRY("empty gate", "int $0x31");
    TRY3("user: empty gate", "int $0x31");
    reset_gate(0x31);
    idt[0x31] &= ~(1ull << 47);
    TRY("absent gate", "int $0x31");
    idt[0x31] |= 3ull << 45;
    TRY3("user: absent gate", "int $0x31");
    reset_gate(0x31);
    /* #NP on the way to #UD: the error code has EXT set. */
    idt[6] &= ~(1ull << 47);
    TRY("#UD with absent gate", "ud2");
    reset_gate(6);
    /* Contributory exceptions make a double fault. */
    idt[0] &= ~(1ull << 47);
    TRY("#DE with absent gate", "xor %%ecx, %%ecx\n div %%ecx");
    reset_gate(0);
    /* From ring 3 to ring 1 with a stack that does not do. */
    gdt[SEL_TEST / 8 + 3] = descriptor(0, 0xfffff, 0xba, 12);
    set_gate(0x31, 14, 3, SEL_TEST + 24, 0);
    tss[3] = TSS_STACK - 0x800;
    tss[4] = SEL_DATA;
    TRY3("user: to ring 1, ss1 of ring 0", "int $0x31");
    tss[4] = 0;
    TRY3("user: to ring 1, ss1 null", "int $0x31");
    tss[4] = 0x3001;
    TRY3("user: to ring 1, ss1 beyond the gdt", "int $0x31");
    tss[4] = SEL_TEST + 32 + 1;
    gdt[SEL_TEST / 8 + 4] = descriptor(0, 0xfffff, 0x32, 12);
    TRY3("user: to ring 1, ss1 absent", "int $0x31");
    gdt[SEL_TEST / 8 + 4] = descriptor(0, 0xfffff, 0xb0, 12);
    TRY3("user: to ring 1, ss1 read-only", "int $0x31");
    reset_gate(0x31);
}

void main(void)
{
    put("== protected\n");
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x12, 12);    /* data, not present */
    gdt[SEL_TEST / 8 + 1] = descriptor(0x60000, 0xff, 2, 0); /* LDT, not present */
    faults();
    user_faults();
    popf_table();
    permission_map();
    bad_gates();
}
