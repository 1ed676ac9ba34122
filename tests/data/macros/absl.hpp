namespace absl {
ABSL_NAMESPACE_BEGIN
class ABSL_LOCKABLE ABSL_ATTRIBUTE_WARN_UNUSED Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();
  void Work() ABSL_LOCKS_EXCLUDED(mu_) { run(); }
  ABSL_MUST_USE_RESULT bool Try() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);
  ABSL_DEPRECATED("use Lock") void Old();
 private:
  int count_ ABSL_GUARDED_BY(mu_);
  std::vector<int> list_ ABSL_GUARDED_BY(mu_) = {};
  State* state_ ABSL_PT_GUARDED_BY(mu_) = nullptr;
};
ABSL_ATTRIBUTE_NOINLINE static void Slow() {}
ABSL_CONST_INIT std::atomic<int> flag{0};
ABSL_NAMESPACE_END
}
