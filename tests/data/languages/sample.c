#include <stdio.h>
#include "store.h"

#define LIMIT 10
#define MIN(a, b) ((a) < (b) ? (a) : (b))

typedef unsigned long word_t;
typedef struct node {
    struct node *next;
    int keys[LIMIT], count;
    int (*compare)(const void *, const void *);
} node_t;

typedef struct { int x; } point_t;

union value { int i; float f; };
enum color { RED, GREEN = 2 };

static int counter = 0;
extern const char *names[];
static const struct ops table = { .open = node_open };

int prototype(word_t x);

#ifdef DEBUG
static void trace(const char *message) { printf("%s", message); }
#else
static void trace(const char *message) { }
#endif

/* Makes a node. */
static node_t *node_new(enum color c,
                        word_t size)
{
    int local = MIN(size, LIMIT);
    node_t *node = malloc(sizeof(*node));
    node->count = local;
    return node;
}

int
main(int argc, char **argv)
{
    counter++;
    return node_new(RED, 1)->count;
}
