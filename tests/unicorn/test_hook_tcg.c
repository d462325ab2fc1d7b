/* Hooks of new blocks, of comparisons, and of the TLB. */
#include "uc_test.h"

static void edge(uc_engine *uc, uc_tb *cur, uc_tb *prev, void *user)
{
    (void)uc;
    uct_add(user, "e%llx:%u:%u<%llx:%u:%u", (unsigned long long)cur->pc, cur->icount, cur->size,
            (unsigned long long)prev->pc, prev->icount, prev->size);
}

/* Told when a block follows another for the first time, before it runs. */
static void test_edges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x90\xb9\x03\x00\x00\x00\xff\xc9\x83\xf9\x01\x75\xf9\xe8\x02\x00\x00\x00\xeb\x03\x31\xc0\xc3\xf4") /* nop; mov ecx,3; l: dec ecx; cmp ecx,1; jne l; call f; jmp e; f: xor eax,eax; ret; e: hlt */);
    uct_hook(&t, UC_HOOK_EDGE_GENERATED, (void *)edge);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    uct_expect(&t, "e1006:3:7<1000:5:13 e100d:1:5<1006:3:7 e1014:2:3<100d:1:5 e1012:1:2<1014:2:3 "
                   "e1017:1:1<1012:1:2");
    uct_close(&t);
}

static void test_edges_once(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xeb\x01\x90\x90\xf4") /* nop; jmp e; nop; e: nop; hlt */);
    uct_hook(&t, UC_HOOK_EDGE_GENERATED, (void *)edge);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    uct_expect(&t, "e1004:2:2<1000:2:3");
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    uct_expect(&t, "");
    /* Anew after the blocks were dropped. */
    ok(uc_ctl_remove_cache(t.uc, CODE, CODE + 16));
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    if (DIFFERS("edge-first", "the first block of a run follows itself when blocks were dropped"))
        uct_expect(&t, "e1004:2:2<1000:2:3");
    uct_close(&t);
}

static void test_edges_of_range(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64,
            BYTES("\x90\xeb\x01\x90\xeb\x01\x90\x90") /* nop; jmp e; nop; e: jmp g; nop; g: nop */);
    uct_hook_in(&t, UC_HOOK_EDGE_GENERATED, (void *)edge, CODE + 4, CODE + 4);
    ok(uct_run(&t));
    uct_expect(&t, "e1004:1:2<1000:2:3");
    uct_close(&t);
}

static void test_edges_before_blocks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xeb\x01\x90\x90\xf4") /* nop; jmp e; nop; e: nop; hlt */);
    uct_log(&t, "b");
    uct_hook(&t, UC_HOOK_EDGE_GENERATED, (void *)edge);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    uct_expect(&t, "b1000:3 e1004:2:2<1000:2:3 b1004:2");
    /* What ends at the end of the run has as many instructions as bytes for them. */
    if (DIFFERS("edge-until", "the instruction at the end of the run is counted")) {
        uct_code(&t, DATA, BYTES("\xeb\x00\x90") /* jmp e; e: nop */);
        ok(uc_emu_start(t.uc, DATA, DATA + 3, 0, 0));
        assert_non_null(strstr(t.log, "e2002:1:1<2000:1:2"));
    }
    uct_close(&t);
}

static void edge_stops(uc_engine *uc, uc_tb *cur, uc_tb *prev, void *user)
{
    edge(uc, cur, prev, user);
    ok(uc_emu_stop(uc));
}

static void edge_jumps(uc_engine *uc, uc_tb *cur, uc_tb *prev, void *user)
{
    uint64_t to = CODE + 12;

    edge(uc, cur, prev, user);
    if (cur->pc == CODE + 6)
        ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

/* The block has not begun when its edge is told. */
static void test_edges_stop_and_jump(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\x01\x90\x48\xff\xc3\xeb\x01\x90\x48\xff\xc1\xf4") /* inc rax; jmp e; nop; e: inc rbx; jmp f; nop; f: inc rcx; hlt */);
    uct_hook(&t, UC_HOOK_EDGE_GENERATED, (void *)edge_stops);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    uct_expect(&t, "e1006:2:5<1000:2:5");
    assert_int_equal(uct_pc(&t), CODE + 6);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\x01\x90\x48\xff\xc3\xeb\x01\x90\x48\xff\xc1\xf4") /* inc rax; jmp e; nop; e: inc rbx; jmp f; nop; f: inc rcx; hlt */);
    uct_hook(&t, UC_HOOK_EDGE_GENERATED, (void *)edge_jumps);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
    uct_close(&t);
}

static void compare(uc_engine *uc, uint64_t address, uint64_t a, uint64_t b, uint32_t size,
                    void *user)
{
    (void)uc;
    uct_add(user, "%llx:%llx-%llx/%u", (unsigned long long)address, (unsigned long long)a,
            (unsigned long long)b, size);
}

static void hook_compare(struct uct *t, int flags, uint64_t begin, uint64_t end)
{
    uc_hook h;

    ok(uc_hook_add(t->uc, &h, UC_HOOK_TCG_OPCODE, (void *)compare, t, begin, end, UC_TCG_OP_SUB,
                   flags));
}

static void test_comparisons(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\xb8\x07\x00\x00\x00\xb9\x03\x00\x00\x00\x39\xc8\x29\xc8\x3c\x01\x66\x83\xf8\x05\x48\x83\xf8\x09\x83\x3c\x25\x00\x20\x00\x00\x05\x39\xc1") /* mov eax,7; mov ecx,3; cmp eax,ecx; sub eax,ecx; cmp al,1; cmp ax,5; cmp rax,9; cmp dword ptr [0x2000],5; cmp ecx,eax */);
    hook_compare(&t, UC_TCG_OP_FLAG_CMP, 1, 0);
    ok(uct_run(&t));
    uct_expect(&t, "100a:7-3/32 100e:4-1/8 1010:4-5/16 1014:4-9/64 1018:0-5/32 1020:3-4/32");
    uct_close(&t);
}

static void test_subtractions(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES("\xb8\x07\x00\x00\x00\xb9\x03\x00\x00\x00\x39\xc8\x29\xc8\x83\xe8\x01\x83\xc0\x01") /* mov eax,7; mov ecx,3; cmp eax,ecx; sub eax,ecx; sub eax,1; add eax,1 */);
    hook_compare(&t, UC_TCG_OP_FLAG_DIRECT, 1, 0);
    ok(uct_run(&t));
    if (DIFFERS("sub-direct", "the first operand that is told is the difference"))
        uct_expect(&t, "100c:7-3/32 100e:4-1/32");
    else
        uct_expect(&t, "100c:4-3/32 100e:3-1/32");
    uct_close(&t);
}

static void test_comparisons_of_range(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb8\x07\x00\x00\x00\x83\xf8\x01\x83\xf8\x02\x83\xf8\x03") /* mov eax,7; cmp eax,1; cmp eax,2; cmp eax,3 */);
    hook_compare(&t, UC_TCG_OP_FLAG_CMP, CODE + 8, CODE + 8);
    ok(uct_run(&t));
    uct_expect(&t, "1008:7-2/32");
    uct_close(&t);
}

static void test_comparisons_arm(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x07\x00\xa0\xe3\x03\x10\xa0\xe3\x01\x00\x50\xe1\x01\x00\x50\xe2\x00\x00\x50"
                  "\xe3") /* mov r0,#7; mov r1,#3; cmp r0,r1; subs r0,r0,#1; cmp r0,#0 */);
    hook_compare(&t, UC_TCG_OP_FLAG_CMP, 1, 0);
    ok(uct_run(&t));
    uct_expect(&t, "1008:7-3/32 100c:7-1/32 1010:6-0/32"); /* SUBS is one */
    uct_close(&t);
}

static void compare_stops(uc_engine *uc, uint64_t address, uint64_t a, uint64_t b, uint32_t size,
                          void *user)
{
    compare(uc, address, a, b, size, user);
    ok(uc_emu_stop(uc));
}

static void test_comparisons_stop(void **state)
{
    struct uct t;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x83\xf8\x01\x48\xff\xc3\x48\xff\xc3") /* inc rbx; cmp eax,1; inc rbx; inc rbx */);
    ok(uc_hook_add(t.uc, &h, UC_HOOK_TCG_OPCODE, (void *)compare_stops, &t, 1, 0, UC_TCG_OP_SUB,
                   UC_TCG_OP_FLAG_CMP));
    ok(uct_run(&t));
    uct_expect(&t, "1003:0-1/32");
    if (DIFFERS("cmp-stop", "takes effect at the end of the block"))
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

/* ---- translations by a hook ---- */

static bool identity;

static bool fill(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e, void *user)
{
    (void)uc;
    uct_add(user, "%c%llx",
            type == UC_MEM_READ    ? 'r'
            : type == UC_MEM_WRITE ? 'w'
                                   : 'x',
            (unsigned long long)address);
    e->paddr = address < 0x100000 || identity ? address : DATA + (address & 0x1000);
    e->perms = UC_PROT_ALL;
    return true;
}

static bool fill_refuses(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e,
                         void *user)
{
    if (address >= 0x100000) {
        uct_add(user, "no");
        return false;
    }
    return fill(uc, address, type, e, user);
}

static bool fill_read_only(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e,
                           void *user)
{
    fill(uc, address, type, e, user);
    e->perms = UC_PROT_READ | UC_PROT_EXEC;
    return true;
}

static void test_tlb(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t,
        64, BYTES("\x48\x8b\x04\x25\x08\x00\x40\x00\x48\x8b\x14\x25\x00\x10\x40\x00\x48\x89\x04\x25\x10\x10\x40\x00\x48\x8b\x0c\x25\x18\x00\x40\x00") /* mov rax,[0x400008]; mov rdx,[0x401000]; mov [0x401010],rax; mov rcx,[0x400018] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    uct_poke(&t, 0x2008, 0x77, 8);
    ok(uct_run(&t));
    uct_expect(&t, "x1000 r400000 r401000");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x77);
    assert_int_equal(uct_mem(&t, 0x3010, 8), 0x77);
    /* It is remembered until it is flushed, over runs too. */
    ok(uct_run(&t));
    uct_expect(&t, "");
    ok(uc_ctl_flush_tlb(t.uc));
    ok(uct_run(&t));
    uct_expect(&t, "x1000 r400000 r401000");
    uct_close(&t);
}

static void test_tlb_code(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    uct_poke(&t, DATA, 0xc0ff4890, 4); /* nop; inc rax */
    uct_log(&t, "c");
    t.begin = 0x400000;
    t.end = 0x400004;
    ok(uct_run(&t));
    uct_expect(&t, "x400000 c400000:1 c400001:3");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    uct_close(&t);
}

/* Memory hooks speak of what is behind it. */
static void test_tlb_and_memory_hooks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x08\x00\x40\x00") /* mov rax,[0x400008] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook_in(&t, UC_HOOK_TLB_FILL, (void *)fill, 0x400000, 0x4fffff);
    uct_log(&t, "r");
    ok(uct_run(&t));
    uct_expect(&t, "r400000 r2008:8");
    uct_close(&t);
}

static void test_tlb_refused(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90\x48\x8b\x04\x25\x08\x00\x40\x00") /* nop; mov rax,[0x400008] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_refuses);
    uct_log(&t, "f");
    fails(uct_run(&t), UC_ERR_EXCEPTION);
    uct_expect(&t, "x1000 no");
    assert_int_equal(uct_pc(&t), CODE + 1);
    /* Another may know. */
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    ok(uct_run(&t));
    uct_expect(&t, "no r400000");
    uct_close(&t);
}

static bool fill_stops(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e,
                       void *user)
{
    fill(uc, address, type, e, user);
    if (address >= 0x100000)
        ok(uc_emu_stop(uc));
    return true;
}

/* As a stop in a hook of a read: the load does not take place. */
static void test_tlb_stop(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x48\x8b\x04\x25\x08\x00\x40\x00\x48\xff\xc3") /* inc rbx; mov rax,[0x400008]; inc rbx */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_stops);
    uct_set(&t, UC_X86_REG_RAX, 7);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 3);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 7);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

static void test_tlb_permissions(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x08\x00\x40\x00\x48\x89\x04\x25\x10\x00\x40\x00") /* mov rax,[0x400008]; mov [0x400010],rax */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_read_only);
    fails(uct_run(&t), UC_ERR_EXCEPTION);
    uct_expect(&t, "x1000 r400000 w400000");
    assert_int_equal(uct_pc(&t), CODE + 8);
    uct_close(&t);
}

static void test_tlb_to_nowhere(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x08\x00\x90\x00") /* mov rax,[0x900008] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    identity = true;
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    uct_log(&t, "F");
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    uct_expect(&t, "x1000 r900000 ru900008:8");
    identity = false;
    uct_close(&t);
}

/* Pages are mapped when they are first asked for, code too; and whatever else a program may do
 * there.
 */
static bool fill_maps(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e,
                      void *user)
{
    struct uct *t = user;
    int sp = t->arch == UC_ARCH_ARM ? UC_ARM_REG_SP : UC_X86_REG_RSP;
    uint64_t physical = 0x2000000 + (address & 0x3000), v = 0;
    uc_hook h;

    (void)type;
    e->paddr = address;
    e->perms = UC_PROT_ALL;
    if (address < 0x400000)
        return true;
    uct_add(t, "m%llx", (unsigned long long)address);
    ok(uc_reg_read(uc, sp, &v));
    assert_int_equal(v, STACK);
    if (uc_mem_map(uc, physical, 0x1000, UC_PROT_ALL) == UC_ERR_OK) {
        for (unsigned i = 0; i < 0x1000; i += 4) /* inc eax, nop twice; add r0,r0,#1 */
            ok(uc_mem_write(uc, physical + i,
                            t->arch == UC_ARCH_ARM ? "\x01\x00\x80\xe2" : "\xff\xc0\x90\x90", 4));
        if (t->arch == UC_ARCH_X86 && (address & 0xfff000) == 0x400000) /* or ecx,1 on both pages */
            ok(uc_mem_write(uc, physical + 0xffe, "\x83\xc9", 2));
        if (t->arch == UC_ARCH_X86 && (address & 0xfff000) == 0x401000)
            ok(uc_mem_write(uc, physical, "\x01\xff\xc0\x90", 4));
    }
    ok(uc_hook_add(uc, &h, UC_HOOK_CODE, (void *)fill_maps, t, 2, 1));
    ok(uc_hook_del(uc, h));
    e->paddr = physical;
    return true;
}

static void test_tlb_calls(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int arm = 0; arm < 2; arm++) {
        for (int hooked = 0; hooked < 2; hooked++) {
            if (arm)
                uct_arm(&t, UC_MODE_ARM, BYTES("\x00\x00\x00\x00"));
            else
                uct_x86(&t, 64, BYTES("\x90") /* nop */);
            ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
            uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_maps);
            if (hooked)
                uct_log(&t, "b");
            uct_set(&t, arm ? UC_ARM_REG_R0 : UC_X86_REG_RAX, 0);
            ok(uc_emu_start(t.uc, 0x400ff0, 0x401010, 0, 0));
            assert_non_null(strstr(t.log, "m400"));
            assert_non_null(strstr(t.log, "m401000"));
            assert_int_equal(uct_get(&t, arm ? UC_ARM_REG_R0 : UC_X86_REG_RAX), 8);
            if (!arm)
                assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
            uct_close(&t);
        }
    }
}

static bool fill_runs(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *e,
                      void *user)
{
    if (address >= 0x100000)
        ok(uc_emu_start(uc, CODE + 0x100, CODE + 0x103, 0, 0));
    return fill(uc, address, type, e, user);
}

/* A run in the callback, of code and of data. */
static void test_tlb_runs(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t, 64,
        BYTES("\x48\x8b\x04\x25\x08\x00\x40\x00\x48\xff\xc3") /* mov rax,[0x400008]; inc rbx */);
    ok(uc_mem_write(t.uc, CODE + 0x100, "\x48\xff\xc1", 3)); /* inc rcx */
    uct_poke(&t, DATA, 0x90, 1);
    uct_poke(&t, DATA + 8, 0x77, 8);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_runs);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x77);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
    ok(uc_ctl_flush_tlb(t.uc));
    ok(uc_emu_start(t.uc, 0x400000, 0x400001, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 2);
    uct_close(&t);
}

/* What one access has been given serves the others that it permits. */
static void test_tlb_entry(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t, 64,
        BYTES(
            "\xb8\x00\x00\x40\x00\x8b\x18\xff\xe0") /* mov eax,0x400000; mov ebx,[rax]; jmp rax */);
    uct_poke(&t, DATA, 0x90909090, 4);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    ok(uc_emu_start(t.uc, CODE, 0x400004, 0, 0));
    uct_expect(&t, "x1000 r400000");
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x90909090);
    /* Changes of the map forget it. */
    ok(uc_mem_map(t.uc, NOWHERE, 0x1000, 7));
    ok(uc_emu_start(t.uc, CODE, 0x400004, 0, 0));
    uct_expect(&t, "x1000 r400000");
    ok(uc_mem_protect(t.uc, NOWHERE, 0x1000, 1));
    ok(uc_emu_start(t.uc, CODE, 0x400004, 0, 0));
    uct_expect(&t, "x1000 r400000");
    uct_close(&t);
}

static void test_tlb_refused_vmem(void **state)
{
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    uct_vmem_read read = (uct_vmem_read)uct_function("uc_vmem_read");
    uct_vmem_read write = (uct_vmem_read)uct_function("uc_vmem_write");
    static const uc_err errors[] = {UC_ERR_READ_PROT, UC_ERR_WRITE_PROT, UC_ERR_FETCH_PROT};
    uint64_t pa = 0, v = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill_refuses);
    for (int n = 0; n < 3; n++) {
        fails(translate(t.uc, 0x400000, (uc_prot)(1 << n), &pa), errors[n]);
        fails(read(t.uc, 0x400000, (uc_prot)(1 << n), &v, 8), UC_ERR_READ_PROT);
        fails(write(t.uc, 0x400000, (uc_prot)(1 << n), &v, 8), UC_ERR_WRITE_PROT);
    }
    uct_close(&t);
}

/* A refused fetch: the pc is its target, and no hooks of faults or interrupts are called. */
static void test_tlb_refused_fetch(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int arm = 0; arm < 2; arm++) {
        if (arm)
            uct_arm(&t, UC_MODE_ARM,
                    BYTES("\x01\x05\xa0\xe3\x10\xff\x2f\xe1") /* mov r0,#0x400000; bx r0 */);
        else
            uct_x86(&t, 64, BYTES("\xb8\x00\x00\x40\x00\xff\xe0") /* mov eax,0x400000; jmp rax */);
        ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
        uct_hook_in(&t, UC_HOOK_TLB_FILL, (void *)fill_refuses, 0x400000, 0x4fffff);
        uct_log(&t, "Fi");
        fails(uc_emu_start(t.uc, CODE, 0x400010, 0, 0), UC_ERR_EXCEPTION);
        assert_int_equal(uct_pc(&t), 0x400000);
        assert_null(strstr(t.log, "f"));
        assert_null(strstr(t.log, "i"));
        uct_close(&t);
    }
}

/* Without a hook addresses stay as they are; without the mode the hook is not asked. */
static void test_tlb_modes(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x00\x20\x00\x00\x48\x8b\x04\x25\x00\x00\x40\x00") /* mov rax,[0x2000]; mov rax,[0x400000] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    assert_int_equal(uct_pc(&t), CODE + 8);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x00\x20\x00\x00") /* mov rax,[0x2000] */);
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    ok(uct_run(&t));
    uct_expect(&t, "");
    uct_close(&t);
}

static void test_tlb_translate(void **state)
{
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    uint64_t pa = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    ok(translate(t.uc, 0x400123, UC_PROT_READ, &pa));
    assert_int_equal(pa, 0x2123);
    ok(translate(t.uc, 0x401123, UC_PROT_WRITE, &pa));
    assert_int_equal(pa, 0x3123);
    uct_expect(&t, "r400000 w401000");
    uct_close(&t);
}

static void test_tlb_arm(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM, BYTES("\x01\x05\xa0\xe3\x08\x10\x90\xe5\x0c\x10\x80\xe5") /* mov r0,#0x400000; ldr r1,[r0,#8]; str r1,[r0,#12] */);
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    uct_poke(&t, 0x2008, 0x77, 4);
    ok(uct_run(&t));
    uct_expect(&t, "x1000 r400000");
    assert_int_equal(uct_mem(&t, 0x200c, 4), 0x77);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_edges_once),
        cmocka_unit_test(test_edges_of_range),
        cmocka_unit_test(test_edges_stop_and_jump),
        cmocka_unit_test(test_edges_before_blocks),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_subtractions),
        cmocka_unit_test(test_comparisons_of_range),
        cmocka_unit_test(test_comparisons_stop),
        cmocka_unit_test(test_comparisons_arm),
        cmocka_unit_test(test_tlb),
        cmocka_unit_test(test_tlb_code),
        cmocka_unit_test(test_tlb_and_memory_hooks),
        cmocka_unit_test(test_tlb_refused),
        cmocka_unit_test(test_tlb_permissions),
        cmocka_unit_test(test_tlb_stop),
        cmocka_unit_test(test_tlb_to_nowhere),
        cmocka_unit_test(test_tlb_calls),
        cmocka_unit_test(test_tlb_runs),
        cmocka_unit_test(test_tlb_entry),
        cmocka_unit_test(test_tlb_refused_vmem),
        cmocka_unit_test(test_tlb_refused_fetch),
        cmocka_unit_test(test_tlb_modes),
        cmocka_unit_test(test_tlb_translate),
        cmocka_unit_test(test_tlb_arm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
