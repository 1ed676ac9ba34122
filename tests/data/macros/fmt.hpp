FMT_BEGIN_NAMESPACE
FMT_BEGIN_EXPORT
template <typename T> class basic_view {
 public:
  FMT_CONSTEXPR basic_view(const T* s, size_t n) : data_(s), size_(n) {}
  FMT_CONSTEXPR_CHAR_TRAITS FMT_INLINE auto size() const noexcept -> size_t { return size_; }
  FMT_ALWAYS_INLINE ~basic_view() {}
 private:
  const T* data_;
  size_t size_;
};
class FMT_SO_VISIBILITY("default") format_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  void raise();
};
FMT_API void vprint(string_view fmt, format_args args);
FMT_EXPORT template <typename... T> FMT_INLINE void print(T&&... args) { vprint(args...); }
FMT_NODISCARD FMT_INLINE auto format(int x) -> std::string { return {}; }
FMT_END_EXPORT
FMT_END_NAMESPACE
