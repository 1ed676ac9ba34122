static DEFINE_MUTEX(lock_a);
DEFINE_SPINLOCK(lock_b);
static DEFINE_PER_CPU(int, cpu_c);
static LIST_HEAD(list_d);
static int __init boot(void) { return 0; }
static void __exit bye(void) { }
module_init(boot);
module_exit(bye);
MODULE_LICENSE("GPL");
EXPORT_SYMBOL(boot);
EXPORT_SYMBOL_GPL(bye)
static int table[] __initdata = { 1, 2 };
static const struct ops my_ops __ro_after_init = { .a = 1 };
static __init int boot2(void) { return 0; }
SYSCALL_DEFINE0(getpid)
{
	return 1;
}
COMPAT_SYSCALL_DEFINE2(foo2, const char __user *, path, int, n)
{
	return 1;
}
int pread(char __user *buf, struct x __iomem *io) { return 0; }
struct thing {
	int a ____cacheline_aligned;
	struct rcu_head rcu __rcu;
	char b[0] __packed;
} __attribute__((packed));
struct __packed other { int z; };
asmlinkage long sys_x(int a) { return 1; }
noinline_for_stack static int q(void) { return 1; }
static __cold void __printf(1, 2) warnf(const char *f) { }
int last(void) { return 1; }
