#ifdef __cplusplus
extern "C" {
#endif
int inside(void);
struct S1 { int a; };
#ifdef __cplusplus
}
#endif
__BEGIN_DECLS
extern int ext(void) __THROW __attribute_pure__;
__END_DECLS
