/* Two engines on two threads; several vCPUs of one engine on several threads. */
#include "toy.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include "exec/engine.h"

struct job {
    const struct toy_mode *mode;
    uint32_t result;
    nw_exit_reason reason;
};

/* No cmocka here: its failures belong to the main thread. */
static void *run_engine(void *opaque)
{
    static const uint32_t code[] = {TOY(ADD, 2, 2, 1),   TOY(ST, 2, 5, 0),   TOY(LD, 2, 5, 0),
                                    TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -4), TOY(SYS, 0, 0, 0)};
    struct job *job = opaque;
    nw_config config = {.flags = job->mode->flags, .code_buffer = 64 << 10};
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    uint64_t v = 0;

    for (unsigned round = 0; round < 10; round++) {
        if (engine_open(&config, &toy_guest, &engine) != NW_OK)
            return NULL;
        if (nw_mem_map(engine, 0x1000, 0x2000, NW_RWX) == NW_OK &&
            nw_mem_write(engine, 0x1000, code, sizeof code) == NW_OK &&
            nw_vcpu_create(engine, &vcpu) == NW_OK) {
            nw_reg_write(vcpu, TOY_PC, 0x1000);
            nw_reg_write(vcpu, 1, 2000);
            nw_reg_write(vcpu, 5, 0x2000);
            nw_vcpu_run(vcpu, 0, &exit);
            nw_reg_read(vcpu, 2, &v);
            job->reason = exit.reason;
            job->result = (uint32_t)v;
            /* And a fault each. */
            nw_reg_write(vcpu, TOY_PC, 0x1000);
            nw_reg_write(vcpu, 5, 0x80000);
            nw_vcpu_run(vcpu, 0, &exit);
            if (exit.reason != NW_EXIT_FAULT || exit.addr != 0x80000)
                job->reason = exit.reason;
        }
        nw_engine_close(engine);
    }
    return NULL;
}

static void test_two_engines(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct job jobs[2] = {{.mode = m}, {.mode = m}};
        pthread_t threads[2];

        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, run_engine, &jobs[i]), 0);
        for (unsigned i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(jobs[i].reason, NW_EXIT_SYSCALL);
            assert_int_equal(jobs[i].result, 2001000);
        }
    }
}

struct worker {
    nw_vcpu *vcpu;
    nw_exit exit;
    uint32_t pc;
};

static void *run_worker(void *opaque)
{
    struct worker *w = opaque;

    nw_reg_write(w->vcpu, TOY_PC, w->pc);
    nw_vcpu_run(w->vcpu, 0, &w->exit);
    return NULL;
}

/* vCPUs that share blocks add to one counter with compare-and-swap. */
static void test_shared_counter(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        struct worker w[3] = {{.vcpu = t.vcpu, .pc = TOY_CODE}};
        pthread_t threads[3];

        TOY_LOAD(&t, TOY_CODE, TOY(LD, 2, 5, 0), TOY(ADDI, 3, 2, 0), TOY(ADDI, 4, 2, 1),
                 TOY(CAS, 2, 5, 4), TOY(BNE, 2, 3, -4), TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -6),
                 TOY(SYS, 0, 0, 0));
        for (unsigned i = 0; i < 3; i++) {
            if (i) {
                w[i].pc = TOY_CODE;
                assert_int_equal(nw_vcpu_create(t.engine, &w[i].vcpu), NW_OK);
            }
            nw_reg_write(w[i].vcpu, 5, TOY_DATA);
            nw_reg_write(w[i].vcpu, 1, 3000);
        }
        for (unsigned i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, run_worker, &w[i]);
        for (unsigned i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(toy_peek(&t, TOY_DATA), 9000);
        toy_close(&t);
    }
}

/* One vCPU loops while the main thread changes the map, writes code and flushes the buffer. */
static void test_changes_while_running(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open_config(m, (nw_config){.code_buffer = 64 << 10});
        struct worker w = {.vcpu = t.vcpu, .pc = TOY_CODE};
        uint32_t words[512];
        nw_vcpu *other;
        nw_exit exit;
        pthread_t thread;

        TOY_LOAD(&t, TOY_CODE, TOY(LD, 2, 5, 0), TOY(ADDI, 3, 3, 1), TOY(ST, 3, 5, 4),
                 TOY(JAL, 14, 0, 0x7fd), TOY(J, 0, 0, -4));
        TOY_LOAD(&t, 0x3000, TOY(ADDI, 4, 4, 1), TOY(JR, 14, 0, 0));
        toy_set(&t, 5, TOY_DATA);
        pthread_create(&thread, NULL, run_worker, &w);
        while (toy_peek(&t, TOY_DATA + 4) < 2) /* it has been round once */
            sched_yield();
        for (unsigned i = 0; i < 200; i++) {
            assert_int_equal(nw_mem_map(t.engine, 0x800000, 0x4000, NW_RW), NW_OK);
            assert_int_equal(nw_mem_protect(t.engine, 0x801000, 0x1000, NW_READ), NW_OK);
            assert_int_equal(nw_mem_unmap(t.engine, 0x800000, 0x4000), NW_OK);
            toy_poke(&t, 0x3000, TOY(ADDI, 4, 4, 1 + i % 3));
        }
        assert_int_equal(nw_vcpu_create(t.engine, &other), NW_OK);
        assert_int_equal(nw_mem_map(t.engine, 0x100000, 0x30000, NW_RWX), NW_OK);
        for (unsigned p = 0; p < 48; p++) {
            for (unsigned i = 0; i < 511; i++)
                words[i] = TOY(ADD, 1 + i % 12, 1 + i % 12, 13);
            words[511] = p < 47 ? TOY(J, 0, 0, 0x400 - 511) : TOY(SYS, 0, 0, 0);
            toy_load(&t, 0x100000 + p * 0x1000, words, 512);
        }
        for (unsigned i = 0; i < 5; i++) {
            nw_reg_write(other, TOY_PC, 0x100000);
            assert_int_equal(nw_vcpu_run(other, 0, &exit), NW_OK);
            assert_int_equal(exit.reason, NW_EXIT_SYSCALL);
        }
        assert_true(toy_stats(&t).cache_flushes > 0);
        /* Its data page goes: it must fault there, wherever it is. */
        assert_int_equal(nw_mem_unmap(t.engine, TOY_DATA, 0x1000), NW_OK);
        pthread_join(thread, NULL);
        assert_int_equal(w.exit.reason, NW_EXIT_FAULT);
        assert_true(w.exit.addr == TOY_DATA || w.exit.addr == TOY_DATA + 4);
        assert_true(toy_get(&t, 4) > 0);
        toy_close(&t);
    }
}

static void test_busy(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        struct worker w = {.vcpu = t.vcpu, .pc = TOY_CODE};
        nw_status status = NW_OK;
        nw_exit exit;
        uint64_t v;
        pthread_t thread;

        TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 3, 3, 1), TOY(ST, 3, 5, 0), TOY(J, 0, 0, -2));
        toy_set(&t, 5, TOY_DATA);
        pthread_create(&thread, NULL, run_worker, &w);
        while (!toy_peek(&t, TOY_DATA))
            usleep(1000);
        status = nw_vcpu_run(t.vcpu, 0, &exit);
        assert_int_equal(status, NW_ERR_BUSY);
        assert_int_equal(nw_reg_read(t.vcpu, 1, &v), NW_ERR_BUSY);
        assert_int_equal(nw_reg_write(t.vcpu, 1, 0), NW_ERR_BUSY);
        nw_vcpu_stop(t.vcpu);
        pthread_join(thread, NULL);
        assert_int_equal(w.exit.reason, NW_EXIT_STOP);
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_engines),
        cmocka_unit_test(test_shared_counter),
        cmocka_unit_test(test_changes_while_running),
        cmocka_unit_test(test_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
