/* What a callback may do: change the map, memory and registers, add and delete hooks of any kind.
 */
#include "uc_test.h"

typedef void (*action)(struct uct *t);

static action act;
static uint64_t act_at;
static uc_hook handle;

static void at_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    (void)size;
    if (address == act_at)
        act(user);
}

/* Runs code with an action before the instruction at that offset. */
static uc_err run_with(struct uct *t, const uint8_t *code, size_t n, uint64_t offset, action a)
{
    uct_x86(t, 64, code, n);
    act = a;
    act_at = CODE + offset;
    uct_hook(t, UC_HOOK_CODE, (void *)at_code);
    return uct_run(t);
}

static void map_it(struct uct *t)
{
    ok(uc_mem_map(t->uc, NOWHERE, 0x1000, 7));
    uct_poke(t, NOWHERE, 0x77, 8);
}

static void unmap_data(struct uct *t)
{
    ok(uc_mem_unmap(t->uc, DATA, 0x1000));
}

static void protect_data(struct uct *t)
{
    ok(uc_mem_protect(t->uc, DATA, 0x1000, UC_PROT_READ));
}

static void replace_data(struct uct *t)
{
    ok(uc_mem_unmap(t->uc, DATA, 0x1000));
    ok(uc_mem_map(t->uc, DATA, 0x1000, 7));
    uct_poke(t, DATA, 0x99, 8);
}

static void test_map(void **state)
{
    struct uct t;

    (void)state;
    ok(run_with(
        &t, BYTES("\x90\x48\x8b\x04\x25\x00\x00\x90\x00\x90") /* nop; mov rax,[0x900000]; nop */, 0,
        map_it));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x77);
    uct_close(&t);
    fails(
        run_with(
            &t,
            BYTES(
                "\x48\x8b\x04\x25\x00\x20\x00\x00\x90\x48\x8b\x04\x25\x00\x20\x00\x00") /* mov
                                                                                           rax,[0x2000];
                                                                                           nop; mov
                                                                                           rax,[0x2000]
                                                                                         */
            ,
            8, unmap_data),
        UC_ERR_READ_UNMAPPED);
    assert_int_equal(uct_pc(&t), CODE + 9);
    uct_close(&t);
    fails(
        run_with(
            &t,
            BYTES(
                "\x89\x04\x25\x00\x20\x00\x00\x90\x89\x04\x25\x00\x20\x00\x00") /* mov [0x2000],eax;
                                                                                   nop; mov
                                                                                   [0x2000],eax */
            ,
            7, protect_data),
        UC_ERR_WRITE_PROT);
    assert_int_equal(uct_pc(&t), CODE + 8);
    uct_close(&t);
    ok(run_with(
        &t,
        BYTES(
            "\x48\x8b\x04\x25\x00\x20\x00\x00\x90\x48\x8b\x1c\x25\x00\x20\x00\x00") /* mov
                                                                                       rax,[0x2000];
                                                                                       nop; mov
                                                                                       rbx,[0x2000]
                                                                                     */
        ,
        8, replace_data));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x99);
    uct_close(&t);
}

static void unmap_code(struct uct *t)
{
    ok(uc_mem_unmap(t->uc, CODE, 0x1000));
}

static void forbid_code(struct uct *t)
{
    ok(uc_mem_protect(t->uc, CODE, 0x1000, UC_PROT_READ));
}

/* The page that runs: the block may end, the next start sees it. */
static void test_running_page(void **state)
{
    uc_err e;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    e = run_with(&t, BYTES("\x90\x90\x90\x90") /* nop; nop; nop; nop */, 1, unmap_code);
    assert_true(e == UC_ERR_OK || e == UC_ERR_FETCH_UNMAPPED);
    fails(uct_run(&t), UC_ERR_FETCH_UNMAPPED);
    uct_close(&t);
    e = run_with(&t, BYTES("\x90\x90\x90\x90") /* nop; nop; nop; nop */, 1, forbid_code);
    assert_true(e == UC_ERR_OK || e == UC_ERR_FETCH_PROT);
    fails(uct_run(&t), UC_ERR_FETCH_PROT);
    ok(uc_mem_protect(t.uc, CODE, 0x1000, UC_PROT_ALL));
    act_at = 0;
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static void remap_on_write(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                           void *user)
{
    (void)uc;
    (void)type;
    (void)address;
    (void)size;
    (void)v;
    replace_data(user);
}

static void test_remap_in_memory_hook(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64,
            BYTES("\x48\x89\x04\x25\x08\x20\x00\x00\x48\x8b\x1c\x25\x00\x20\x00\x00\x48\x8b\x0c\x25"
                  "\x08\x20\x00\x00") /* mov [0x2008],rax; mov rbx,[0x2000]; mov rcx,[0x2008] */);
    uct_set(&t, UC_X86_REG_RAX, 5);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)remap_on_write);
    if (DIFFERS("remap-in-memory-hook",
                "the store that is hooked goes to the memory that was unmapped, and crashes")) {
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x99);
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 5);
    }
    uct_close(&t);
}

static void write_there(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                        void *user)
{
    (void)type;
    (void)size;
    (void)v;
    (void)user;
    ok(uc_mem_write(uc, address, "\x99\x99\x99\x99\x99\x99\x99\x99", 8));
}

/* The hook of a store comes before it. */
static void test_write_in_write_hook(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x89\x04\x25\x00\x20\x00\x00") /* mov [0x2000],eax */);
    uct_set(&t, UC_X86_REG_RAX, 5);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)write_there);
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, DATA, 8), 0x9999999900000005);
    uct_close(&t);
}

static void set_registers(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                          void *user)
{
    uint64_t rax = 9, rbx = 100, rcx = 7;

    (void)type;
    (void)address;
    (void)size;
    (void)v;
    (void)user;
    ok(uc_reg_write(uc, UC_X86_REG_RAX, &rax));
    ok(uc_reg_write(uc, UC_X86_REG_RBX, &rbx));
    ok(uc_reg_write(uc, UC_X86_REG_RCX, &rcx));
}

static void test_registers_in_memory_hooks(void **state)
{
    static const int types[] = {UC_HOOK_MEM_READ, UC_HOOK_MEM_READ_AFTER};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64,
            BYTES("\x89\x04\x25\x00\x20\x00\x00\x48\xff\xc3") /* mov [0x2000],eax; inc rbx */);
    uct_set(&t, UC_X86_REG_RAX, 5);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)set_registers);
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, DATA, 4), 5); /* it was there already */
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 9);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 101);
    uct_close(&t);
    for (int i = 0; i < 2; i++) {
        uct_x86(&t, 64,
                BYTES("\x8b\x0c\x25\x00\x20\x00\x00\x48\xff\xc3") /* mov ecx,[0x2000]; inc rbx */);
        uct_poke(&t, DATA, 0x33, 4);
        uct_hook(&t, types[i], (void *)set_registers);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x33); /* the load comes after the hook */
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 101);
        uct_close(&t);
    }
}

static bool set_registers_and_map(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                                  int64_t v, void *user)
{
    set_registers(uc, type, address, size, v, user);
    map_it(user);
    return true;
}

static void test_registers_in_fault_hooks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64,
            BYTES("\x8b\x0c\x25\x00\x00\x90\x00\x48\xff\xc3") /* mov ecx,[0x900000]; inc rbx */);
    uct_hook(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)set_registers_and_map);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x77);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 9);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 101);
    uct_close(&t);
}

static void set_registers_on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    uint64_t v = number + 1;

    (void)user;
    ok(uc_reg_write(uc, UC_X86_REG_RAX, &v));
}

static void test_registers_in_interrupt_hooks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xcd\x28\x48\xff\xc0") /* int 0x28; inc rax */);
    uct_hook(&t, UC_HOOK_INTR, (void *)set_registers_on_interrupt);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 42);
    uct_close(&t);
}

static void told(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v, void *user)
{
    (void)type;
    (void)size;
    (void)v;
    uint64_t pc = 0;

    ok(uc_reg_read(uc, UC_X86_REG_RIP, &pc));
    uct_add(user, "%x@%x", (unsigned)address, (unsigned)pc);
}

static void add_memory_hook(struct uct *t)
{
    uct_hook(t, UC_HOOK_MEM_WRITE, (void *)told);
}

static void delete_memory_hook(struct uct *t)
{
    ok(uc_hook_del(t->uc, handle));
}

static void test_memory_hooks_from_code_hook(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    ok(run_with(&t,
                BYTES("\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20"
                      "\x00\x00") /* mov [0x2000],eax; mov [0x2000],eax; mov [0x2000],eax */,
                7, add_memory_hook));
    uct_expect(&t, "2000@1007 2000@100e");
    uct_close(&t);
    uct_x86(&t, 64,
            BYTES("\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20\x00"
                  "\x00") /* mov [0x2000],eax; mov [0x2000],eax; mov [0x2000],eax */);
    handle = uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)told);
    act = delete_memory_hook;
    act_at = CODE + 7;
    uct_hook(&t, UC_HOOK_CODE, (void *)at_code);
    ok(uct_run(&t));
    uct_expect(&t, "2000@1000");
    uct_close(&t);
}

static void told_once(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                      void *user)
{
    told(uc, type, address, size, v, user);
    ok(uc_hook_del(uc, handle));
}

static void test_memory_hook_deletes_itself(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64,
            BYTES("\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x00\x20\x00"
                  "\x00") /* mov [0x2000],eax; mov [0x2000],eax; mov [0x2000],eax */);
    handle = uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)told_once);
    ok(uct_run(&t));
    uct_expect(&t, "2000@1000");
    uct_close(&t);
}

static void add_read_hook(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                          void *user)
{
    (void)uc;
    (void)type;
    (void)address;
    (void)size;
    (void)v;
    uct_hook(user, UC_HOOK_MEM_READ, (void *)told);
}

static void test_memory_hook_adds_another(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64,
            BYTES("\x8b\x0c\x25\x04\x20\x00\x00\x89\x04\x25\x00\x20\x00\x00\x8b\x0c\x25\x08\x20\x00"
                  "\x00") /* mov ecx,[0x2004]; mov [0x2000],eax; mov ecx,[0x2008] */);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)add_read_hook);
    ok(uct_run(&t));
    if (DIFFERS("hook-add-running", "it is not called in code that runs or ran"))
        uct_expect(&t, "2008@100e");
    uct_close(&t);
}

static unsigned calls;

static void counts(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    (void)address;
    (void)size;
    (void)user;
    calls++;
}

static void test_many(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90") /* nop; nop */);
    for (int i = 0; i < 200; i++)
        uct_hook(&t, UC_HOOK_CODE, (void *)counts);
    calls = 0;
    ok(uct_run(&t));
    assert_int_equal(calls, 400);
    uct_close(&t);
}

static void test_count_and_hooks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\xfb") /* l: inc rax; jmp l */);
    uct_hook(&t, UC_HOOK_CODE, (void *)counts);
    calls = 0;
    ok(uc_emu_start(t.uc, CODE, 0, 0, 7));
    assert_int_equal(calls, 7);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 4);
    assert_int_equal(uct_pc(&t), CODE + 3);
    uct_close(&t);
}

static void test_timeout_and_hooks(void **state)
{
    size_t v = 0;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\xfb") /* l: inc rax; jmp l */);
    uct_hook(&t, UC_HOOK_CODE, (void *)counts);
    ok(uc_emu_start(t.uc, CODE, 0, 20000, 0));
    ok(uc_query(t.uc, UC_QUERY_TIMEOUT, &v));
    assert_int_equal(v, 1);
    uct_close(&t);
}

/* Addresses in hooks are linear. */
static void test_real_mode(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 16, BYTES("\xa1\x10\x00\xa3\x20\x00") /* mov ax,[0x10]; mov [0x20],ax */);
    uct_set(&t, UC_X86_REG_CS, 0x80);
    uct_set(&t, UC_X86_REG_DS, 0x200);
    uct_log(&t, "rw");
    uct_hook(&t, UC_HOOK_CODE, (void *)counts);
    calls = 0;
    ok(uct_run(&t));
    uct_expect(&t, "r2010:2 w2020:2=0");
    assert_int_equal(calls, 2);
    uct_close(&t);
}

static void test_wrap(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int arm = 0; arm < 2; arm++) {
        if (arm)
            uct_arm(&t, UC_MODE_ARM,
                    BYTES("\x01\x00\xe0\xe3\x00\x10\x90\xe5") /* mvn r0,#1; ldr r1,[r0] */);
        else
            uct_x86(&t, 32, BYTES("\xa1\xfe\xff\xff\xff")); /* mov eax,[0xfffffffe] */
        ok(uc_mem_map(t.uc, 0xfffff000, 0x1000, 7));
        ok(uc_mem_map(t.uc, 0, 0x1000, 7));
        uct_poke(&t, 0xfffffffe, 0x4433, 2);
        uct_poke(&t, 0, 0x2211, 2);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, arm ? UC_ARM_REG_R1 : UC_X86_REG_EAX), 0x22114433);
        uct_close(&t);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_running_page),
        cmocka_unit_test(test_remap_in_memory_hook),
        cmocka_unit_test(test_write_in_write_hook),
        cmocka_unit_test(test_registers_in_memory_hooks),
        cmocka_unit_test(test_registers_in_fault_hooks),
        cmocka_unit_test(test_registers_in_interrupt_hooks),
        cmocka_unit_test(test_memory_hooks_from_code_hook),
        cmocka_unit_test(test_memory_hook_deletes_itself),
        cmocka_unit_test(test_memory_hook_adds_another),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_count_and_hooks),
        cmocka_unit_test(test_timeout_and_hooks),
        cmocka_unit_test(test_real_mode),
        cmocka_unit_test(test_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
