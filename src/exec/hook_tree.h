/* Ranges of addresses, found by an address in logarithmic time: a treap by where they begin, whose
 * nodes know how far those below them reach. */
#ifndef EXEC_HOOK_TREE_H
#define EXEC_HOOK_TREE_H

#include <stdint.h>

struct hook_node {
    struct hook_node *left, *right;
    uint64_t begin, end; /* both included */
    uint64_t reach;      /* the greatest END of this node and those below it */
    uint64_t serial;     /* tells nodes apart; in the order of adding */
};

/* BEGIN, END and SERIAL are the caller's. */
void hook_tree_add(struct hook_node **root, struct hook_node *);
/* One that is in the tree. */
void hook_tree_remove(struct hook_node **root, struct hook_node *);

typedef void hook_tree_fn(void *opaque, struct hook_node *);
/* Every node that has an address of [FIRST, LAST], in order of BEGIN, then SERIAL. */
void hook_tree_find(struct hook_node *root, uint64_t first, uint64_t last, hook_tree_fn *fn,
                    void *opaque);

#endif
