#define LIST(x) ITEM(x)
#define RUN(x) \
    CHECK(x) \
    DONE(x)
#if DOUBLE && SINGLE
int one(void);
#endif
typedef struct { int val; } __fsid_t;
struct STORE { int a; } STORE_ONE;
struct STORE table[] = { { 1 }, { 2 } };
unsigned int COUNT = 3;
static const char *const NAMES[] = { "A", "B" };
// NOTE this comment is none
enum color {
    RED,
    // the last one
    BLUE
};
enum { ONLY };
/* LIST of things (in
   a comment */
DWORD counter;
HRESULT run(BOOL flag)
{
    if (flag) FLUSH(x);
    while (f(x) && FLAG) { }
    return f(x) && FLAG;
}
BOOL
gnu_style(int a)
{
    return TRUE;
}
unsigned long long notrace __swap_it(unsigned long long u)
{
}
static void __put_it(struct region *region)
	__releases(sem)
{
}
