class BASE_EXPORT Outer final : public A::B, private C<D> {
 public:
  enum class BASE_EXPORT Kind : uint8_t { A, B };
  struct BASE_EXPORT Inner { int v; };
  union BASE_EXPORT U { int a; };
};
template <> struct MY_API Traits<int> { int x; };
class MY_API ns::Deep { int z; };
class MY_API_(x) Odd { int z; };
class DEPRECATED_MSG("no") Odd2 { int z; };
struct MY_API Fwd;
MY_API class Fwd2;
enum MY_API Plain { P1, P2 };
enum MY_API Plain2 : int { P3 };
template class MY_API Traits<float>;
extern template class MY_API Traits<double>;
typedef struct MY_PACKED tag { int a; } tag_t;
struct tag2 { int a; } MY_PACKED;
class Q_DECL_FINAL Qf { int z; };
class wxCORE_EXPORT Wx { int z; };
class my_export_t Lower { int z; };
class CV_EXPORTS_W Mat { public: CV_WRAP Mat(); CV_WRAP int rows() const; CV_PROP_RW int dims; };
