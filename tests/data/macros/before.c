MY_API int f1(void);
static MY_INLINE int g1(int x) { return x; }
MY_API struct foo *h1(void) { return 0; }
extern MY_API int value1;
BOOL WINAPI Create1(HANDLE h) { return 1; }
JNIEXPORT jint JNICALL Java_a_b(JNIEnv *env) { return 1; }
GLOBAL(void)
jpeg_x(j_ptr cinfo, int a)
{
}
PyAPI_FUNC(int) PyFoo_Bar(PyObject *o);
PyMODINIT_FUNC PyInit_foo(void) { return 0; }
MY_DEPRECATED("x") int f2(void) { return 1; }
static int MY_ATTR(1) f3(void) { return 1; }
__attribute__((noinline)) static int f4(void) { return 1; }
__declspec(dllexport) int f5(void) { return 1; }
static __always_inline int f6(void) { return 1; }
XMLPUBFUN int XMLCALL xmlThing(int a);
FT_EXPORT_DEF( FT_Error )
FT_Init( int a )
{
  return 0;
}
