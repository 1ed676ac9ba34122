TEST(Suite, Name) { EXPECT_EQ(1, 1); }
TEST_F(Fixture, Works)
{
}
TEST_P(Param, Runs) {}
TYPED_TEST(Typed, Goes) {}
TEST_CASE("parses a thing", "[tag]") {
  SECTION("inner") { REQUIRE(true); }
}
BOOST_AUTO_TEST_SUITE(suite)
BOOST_AUTO_TEST_CASE(case_one)
{
}
BOOST_FIXTURE_TEST_CASE(case_two, Fix) {}
BOOST_AUTO_TEST_SUITE_END()
SCENARIO("a user logs in") { GIVEN("x") { } }
TEST_CASE_METHOD(Fix, "method test", "[x]") {}
INSTANTIATE_TEST_SUITE_P(A, B, ::testing::Values(1));
void after() {}
TEST_GROUP(Group)
{
  int member;
};
BENCHMARK_F(Bench, Speed)(benchmark::State& state) { go(); }
NAN_METHOD(Method) { int local; }
