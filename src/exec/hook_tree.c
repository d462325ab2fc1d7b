#include "exec/hook_tree.h"

#include <stdbool.h>
#include <stddef.h>

/* Heap order: as good as random, whatever the ranges are. */
static uint64_t priority(const struct hook_node *n)
{
    uint64_t x = (n->serial + 1) * 0x9e3779b97f4a7c15u;

    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93u;
}

static bool before(const struct hook_node *a, const struct hook_node *b)
{
    return a->begin < b->begin || (a->begin == b->begin && a->serial < b->serial);
}

static void update(struct hook_node *n)
{
    n->reach = n->end;
    if (n->left && n->left->reach > n->reach)
        n->reach = n->left->reach;
    if (n->right && n->right->reach > n->reach)
        n->reach = n->right->reach;
}

/* Divides the tree ROOT into what lies before N and the rest. */
static void split(struct hook_node *root, const struct hook_node *n, struct hook_node **low,
                  struct hook_node **high)
{
    if (!root) {
        *low = *high = NULL;
        return;
    }
    if (before(root, n)) {
        split(root->right, n, &root->right, high);
        *low = root;
    } else {
        split(root->left, n, low, &root->left);
        *high = root;
    }
    update(root);
}

/* Everything in LOW lies before everything in HIGH. */
static struct hook_node *merge(struct hook_node *low, struct hook_node *high)
{
    struct hook_node *root;

    if (!low || !high)
        return low ? low : high;
    if (priority(low) > priority(high)) {
        root = low;
        root->right = merge(low->right, high);
    } else {
        root = high;
        root->left = merge(low, high->left);
    }
    update(root);
    return root;
}

void hook_tree_add(struct hook_node **root, struct hook_node *n)
{
    while (*root && priority(*root) >= priority(n)) {
        if ((*root)->reach < n->end)
            (*root)->reach = n->end;
        root = before(n, *root) ? &(*root)->left : &(*root)->right;
    }
    split(*root, n, &n->left, &n->right);
    update(n);
    *root = n;
}

static struct hook_node *without(struct hook_node *root, struct hook_node *n)
{
    if (root == n)
        return merge(n->left, n->right);
    if (before(n, root))
        root->left = without(root->left, n);
    else
        root->right = without(root->right, n);
    update(root);
    return root;
}

void hook_tree_remove(struct hook_node **root, struct hook_node *n)
{
    *root = without(*root, n);
}

void hook_tree_find(struct hook_node *root, uint64_t first, uint64_t last, hook_tree_fn *fn,
                    void *opaque)
{
    while (root && root->reach >= first) {
        hook_tree_find(root->left, first, last, fn, opaque);
        if (root->begin > last)
            return;
        if (root->end >= first)
            fn(opaque, root);
        root = root->right;
    }
}
