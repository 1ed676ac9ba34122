NLOHMANN_JSON_NAMESPACE_BEGIN
NLOHMANN_BASIC_JSON_TPL_DECLARATION
class basic_json : public base
{
  public:
    JSON_HEDLEY_WARN_UNUSED_RESULT
    static basic_json parse(int i) { return {}; }
    JSON_HEDLEY_DEPRECATED_FOR(3.8.0, parse(ptr, ptr + len))
    static basic_json old(int i) { return {}; }
    JSON_HEDLEY_NON_NULL(2)
    void put(const char* s) {}
    JSON_PRIVATE_UNLESS_TESTED:
    int secret;
};
NLOHMANN_JSON_NAMESPACE_END
