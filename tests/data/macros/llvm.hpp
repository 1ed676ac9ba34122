namespace llvm {
class LLVM_ABI LLVM_EXTERNAL_VISIBILITY Pass {
public:
  LLVM_ABI virtual void run();
  LLVM_NODISCARD bool ok() const;
  LLVM_DUMP_METHOD void dump() const LLVM_READONLY;
  LLVM_ATTRIBUTE_ALWAYS_INLINE int fast() { return 1; }
  LLVM_ATTRIBUTE_NORETURN void die();
};
template <typename T> struct LLVM_GSL_OWNER Box { T item; };
LLVM_ABI int countAll(const Pass &P);
extern LLVM_ABI const char *Names[];
}
