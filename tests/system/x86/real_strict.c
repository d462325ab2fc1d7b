/* What QEMU's translator does not check: the limits of real mode, impossible values of CR0. */
#include "lib.h"

void main(void)
{
    put("== real_strict\n");
    TRY("iretl to ip 10000", "pushfl\n pushl %%cs\n pushl $0x10000\n iretl");
    TRY("lss at ffff", "mov $0xfffd, %%bx\n lss (%%bx), %%sp");
    TRY("word at ffff", "mov $0xffff, %%bx\n mov (%%bx), %%ax");
    TRY("byte at ffff", "mov $0xffff, %%bx\n mov (%%bx), %%al");
    TRY("byte at 10000", "mov $0x10000, %%ebx\n mov (%%ebx), %%al");
    TRY("dword at fffd", "mov $0xfffd, %%bx\n mov (%%bx), %%eax");
    TRY("16-bit address wraps", "mov $0xfff0, %%bx\n mov 0x20(%%bx), %%al");
    TRY("32-bit address does not", "mov $0xfff0, %%ebx\n mov 0x20(%%ebx), %%al");
    TRY("word at ss:ffff", "mov $0xffff, %%bp\n mov (%%bp), %%ax");
    TRY("popw at sp ffff", "mov $0xffff, %%esp\n popw %%ax");
    VALUE("pushw at sp 0",
          "mov $0x5000, %%ax\n mov %%ax, %%ss\n mov $0, %%esp\n pushw $0x1234\n mov %%esp, result");
    TRY("jmp to 10000", "mov $0x10000, %%eax\n jmpl *%%eax");
    TRY("call near to 10000", "mov $0x10000, %%eax\n calll *%%eax");
    TRY("movsw across 64 KiB", "mov $0xffff, %%si\n mov $0x700, %%di\n movsw");
    VALUE("rep movsb stops there",
          "mov $0xfff0, %%esi\n mov $0x60, %%cx\n mov $0x6000, %%ax\n mov %%ax, %%es\n"
          "xor %%edi, %%edi\n rep movsb\n mov %%esi, result");
    RUN("mov $0xfff0, %%esi\n mov $0x60, %%ecx\n mov $0x6000, %%ax\n mov %%ax, %%es\n xor %%edi, "
        "%%edi\n"
        "addr32 rep movsb");
    report("addr32 rep movsb");
    TRY("lidt limit 37, int 14",
        "sidt 0x610\n movw $0x37, 0x620\n movl $0, 0x622\n lidt 0x620\n int $14");
    RUN("lidt 0x610");
    TRY("lidt limit 3a, int 14", "movw $0x3a, 0x620\n movl $0, 0x622\n lidt 0x620\n int $14");
    RUN("lidt 0x610");
    TRY("cr0.pg without pe", "mov %%cr0, %%eax\n or $0x80000000, %%eax\n mov %%eax, %%cr0");
    TRY("cr0.nw without cd",
        "mov %%cr0, %%eax\n or $0x20000000, %%eax\n and $~0x40000000, %%eax\n mov %%eax, %%cr0");
    TRY("mov cr4 reserved", "mov %%cr4, %%eax\n or $0x80000000, %%eax\n mov %%eax, %%cr4");
}
