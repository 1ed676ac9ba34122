#include <vector>
#include "store.hpp"

using namespace std;

namespace store::detail {

constexpr int kLimit = 10;
using Rows = std::vector<int>;

template <typename T>
class Index : public Base<T> {
 public:
  explicit Index(std::string path);
  ~Index();
  virtual int search(const Query& query) const = 0;
  T& at(int i) { return rows_[i]; }
  bool operator==(const Index& other) const;
  static int count;
  enum class Mode { Read, Write };

 private:
  Rows rows_;
};

struct Point { int x, y; };

template <typename T>
Index<T>::Index(std::string path) : path_(path) { open(path); }

int Engine::Part::run(int n) { return helper::go(n, kLimit); }

bool Index<int>::operator==(const Index& other) const { return true; }

Engine::~Engine() {}

std::unique_ptr<Point> make_point() { auto f = [](int a) { return a; }; return std::make_unique<Point>(f(1)); }

template <typename T>
concept Hashable = requires(T a) { hash(a); };

namespace {
int hidden() { return 1; }
}

}  // namespace store::detail
