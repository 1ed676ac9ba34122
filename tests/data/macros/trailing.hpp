class T1 {
  void f() MY_NOEXCEPT;
  void g() const MY_NOEXCEPT { run(); }
  int h(int a) MY_NOEXCEPT_IF(a > 0) OVERRIDE;
  virtual void k() = 0 MY_X;
  T1() MY_NOEXCEPT : a(1) {}
  int a;
};
void free_f(int a, int b) MY_PRINTF(1, 2);
